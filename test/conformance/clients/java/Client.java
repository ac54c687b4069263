import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Apache Kafka's Java clients as a client of the matrix: a line of JSON asks, a line of JSON answers. */
public class Client {
    private static String server;
    private static Admin admin;
    private static KafkaConsumer<String, String> member;

    private static Map<String, Object> config(Object... pairs) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", server));
        for (int i = 0; i < pairs.length; i += 2) config.put((String) pairs[i], pairs[i + 1]);
        return config;
    }

    private static KafkaConsumer<String, String> consumer(Object... pairs) {
        Map<String, Object> config = config(pairs);
        config.put("auto.offset.reset", "earliest");
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    private static List<String> collect(KafkaConsumer<String, String> reader, int count) {
        List<String> values = new ArrayList<>();
        long giveUp = System.nanoTime() + 20_000_000_000L;
        while (values.size() < count && System.nanoTime() < giveUp) values.addAll(poll(reader, 500));
        return values;
    }

    private static List<String> poll(KafkaConsumer<String, String> reader, int ms) {
        List<String> values = new ArrayList<>();
        for (ConsumerRecord<String, String> record : reader.poll(Duration.ofMillis(ms))) values.add(record.value());
        return values;
    }

    private static Object produce(JsonNode with) throws Exception {
        Map<String, Object> config = config(
            "compression.type", with.get("codec").asText(),
            "enable.idempotence", with.get("idempotent").asBoolean(),
            "acks", "all", "linger.ms", 20);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        String topic = with.get("topic").asText();
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (JsonNode value : with.get("values")) {
                sent.add(producer.send(new ProducerRecord<>(topic, with.get("partition").asInt(), null, value.asText())));
            }
        }
        for (Future<RecordMetadata> record : sent) record.get();
        return null;
    }

    private static Object read(JsonNode with) {
        try (var reader = consumer("enable.auto.commit", false)) {
            String topic = with.get("topic").asText();
            reader.assign(IntStream.range(0, with.get("partitions").asInt())
                .mapToObj(partition -> new TopicPartition(topic, partition)).toList());
            reader.seekToBeginning(reader.assignment());
            return collect(reader, with.get("count").asInt());
        }
    }

    private static Object take(JsonNode with) {
        String group = with.get("group").asText();
        try (var reader = consumer("group.id", group, "enable.auto.commit", false, "max.poll.records", 1)) {
            reader.subscribe(List.of(with.get("topic").asText()));
            List<String> values = collect(reader, with.get("count").asInt());
            reader.commitSync();
            return values;
        }
    }

    private static Object join(JsonNode with) {
        member = consumer("group.id", with.get("group").asText());
        member.subscribe(List.of(with.get("topic").asText()));
        return null;
    }

    private static Object group(JsonNode with) throws Exception {
        String group = with.get("group").asText();
        ConsumerGroupDescription found = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        // 3.9 has no groupState(), and 4.x no state().
        Object state;
        try {
            state = found.getClass().getMethod("groupState").invoke(found);
        } catch (NoSuchMethodException e) {
            state = found.getClass().getMethod("state").invoke(found);
        }
        return Map.of("state", state.toString(), "members", found.members().size());
    }

    private static Object groups() throws Exception {
        return admin.listConsumerGroups().all().get().stream().map(listing -> listing.groupId()).toList();
    }

    private static String version() throws Exception {
        var properties = new Properties();
        properties.load(KafkaConsumer.class.getResourceAsStream("/kafka/kafka-version.properties"));
        return properties.getProperty("version");
    }

    private static Object answer(String command, JsonNode with) throws Exception {
        if (admin == null) admin = Admin.create(config());
        switch (command) {
            case "versions": return version();
            case "produce": return produce(with);
            case "read": return read(with);
            case "take": return take(with);
            case "join": return join(with);
            case "poll": return poll(member, with.get("ms").asInt());
            case "leave":
                member.close();
                return null;
            case "create":
                int partitions = with.get("partitions").asInt();
                return admin.createTopics(List.of(new NewTopic(with.get("topic").asText(), partitions, (short) 1))).all().get();
            case "describe":
                String topic = with.get("topic").asText();
                return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
            case "delete": return admin.deleteTopics(List.of(with.get("topic").asText())).all().get();
            case "groups": return groups();
            case "group": return group(with);
            default: throw new IllegalArgumentException(command);
        }
    }

    public static void main(String[] args) throws Exception {
        server = args[0];
        var mapper = new ObjectMapper();
        var in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode asked = mapper.readTree(line);
            Map<String, Object> answer = new HashMap<>();
            try {
                answer.put("ok", answer(asked.get("do").asText(), asked.get("with")));
            } catch (Throwable error) {
                Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
                answer.put("error", cause.toString());
            }
            System.out.println(mapper.writeValueAsString(answer));
        }
        System.exit(0);
    }
}
