import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.zip.CRC32;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A member of a scenario that is a consumer of Apache Kafka's Java client; docs/ADAPTERS.md says what it is told and tells. */
public class Member implements ConsumerRebalanceListener {
    private static final int HEADER_BYTES = 36;
    private static final int MAGIC = 0x62_6e_63_68;
    private static final long NO_HEADER = -1;
    private static final long CORRUPT = -2;
    /** A consumer that hangs while it leaves must not keep the process. */
    private static final int LEAVE_LIMIT_MS = 18_000;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final BlockingQueue<String> COMMANDS = new LinkedBlockingQueue<>();

    private final JsonNode options;
    private final String commit;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final TreeSet<Integer> owned = new TreeSet<>();
    private final TreeMap<Integer, Long> positions = new TreeMap<>();

    private Member(JsonNode options) {
        this.options = options;
        this.commit = options.get("commit").asText();
        this.consumer = new KafkaConsumer<>(config(options), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        consumer.subscribe(List.of(options.get("topic").asText()), this);
    }

    private static Map<String, Object> config(JsonNode options) {
        List<String> servers = new ArrayList<>();
        options.get("bootstrapServers").forEach(server -> servers.add(server.asText()));
        int sessionMs = options.get("sessionTimeoutMs").asInt();
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", servers);
        config.put("group.id", options.get("groupId").asText());
        config.put("client.id", options.get("clientId").asText());
        config.put("partition.assignment.strategy", assignor(options.get("assignor").asText()));
        config.put("session.timeout.ms", sessionMs);
        config.put("heartbeat.interval.ms", options.get("heartbeatIntervalMs").asInt());
        config.put("max.poll.interval.ms", Math.max(sessionMs, options.get("rebalanceTimeoutMs").asInt()));
        config.put("max.poll.records", options.get("maxPollRecords").asInt());
        config.put("isolation.level", options.get("isolation").asText().replace('-', '_'));
        config.put("enable.auto.commit", options.get("commit").asText().equals("auto"));
        config.put("auto.commit.interval.ms", 1_000);
        config.put("auto.offset.reset", "earliest");
        config.put("fetch.max.wait.ms", 250);
        if (!options.get("groupInstanceId").isNull()) {
            config.put("group.instance.id", options.get("groupInstanceId").asText());
        }
        return config;
    }

    private static String assignor(String name) {
        String start = "org.apache.kafka.clients.consumer.";
        return switch (name) {
            case "range" -> start + "RangeAssignor";
            case "round-robin" -> start + "RoundRobinAssignor";
            default -> start + "CooperativeStickyAssignor";
        };
    }

    /** Pairs of names and values, the first of them the type. */
    private static synchronized void tell(String type, Object... pairs) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("type", type);
        for (int at = 0; at < pairs.length; at += 2) event.put((String) pairs[at], pairs[at + 1]);
        try {
            OUT.println(JSON.writeValueAsString(event));
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private static double now() {
        return System.currentTimeMillis();
    }

    private static void tellError(Throwable error, boolean isFatal) {
        // -1 is what Kafka calls an error that has no code.
        int code = error instanceof ApiException ? Errors.forException(error).code() : -1;
        String message = error.getMessage() == null ? error.toString() : error.getMessage();
        tell("error", "code", code == -1 ? null : code, "message", message, "isFatal", isFatal, "atMs", now());
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> added) {
        added.forEach(one -> owned.add(one.partition()));
        var group = consumer.groupMetadata();
        String memberId = group.memberId().isEmpty() ? null : group.memberId();
        tell("assigned", "memberId", memberId, "generation", group.generationId(), "partitions", owned, "atMs", now());
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> gone) {
        TreeSet<Integer> revoked = new TreeSet<>();
        gone.forEach(one -> revoked.add(one.partition()));
        owned.removeAll(revoked);
        positions.keySet().removeAll(revoked);
        if (!revoked.isEmpty()) tell("revoked", "partitions", revoked, "atMs", now());
    }

    private boolean poll() {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
        for (TopicPartition place : records.partitions()) read(place.partition(), records.records(place));
        return !records.isEmpty();
    }

    private void read(int partition, List<ConsumerRecord<byte[], byte[]>> records) {
        long first = records.get(0).offset();
        long to = records.get(records.size() - 1).offset() + 1;
        long from = Math.min(first, positions.getOrDefault(partition, first));
        positions.put(partition, to);
        tell("batch", "partition", partition, "fromOffset", from, "toOffset", to, "runs", runsOf(records), "atMs", now());
    }

    private static List<long[]> runsOf(List<ConsumerRecord<byte[], byte[]>> records) {
        List<long[]> runs = new ArrayList<>();
        long[] last = null;
        for (ConsumerRecord<byte[], byte[]> record : records) {
            long[] next = runOf(record);
            if (last != null && continues(last, next)) {
                last[1] += 1;
            } else {
                runs.add(next);
                last = next;
            }
        }
        return runs;
    }

    private static boolean continues(long[] run, long[] next) {
        return next[0] == run[0] + run[1] && next[2] == run[2] && next[3] == run[3]
            && (run[2] < 0 || next[4] == run[4] + run[1]);
    }

    private static long[] runOf(ConsumerRecord<byte[], byte[]> record) {
        byte[] value = record.value() == null ? new byte[0] : record.value();
        if (value.length >= HEADER_BYTES) {
            return runOf(record.offset(), ByteBuffer.wrap(value, 0, HEADER_BYTES), value, HEADER_BYTES);
        }
        Header header = record.headers().lastHeader("bench");
        if (header == null) return new long[] {record.offset(), 1, NO_HEADER, 0, 0};
        return runOf(record.offset(), ByteBuffer.wrap(header.value()), value, 0);
    }

    private static long[] runOf(long offset, ByteBuffer header, byte[] value, int bodyStart) {
        if (header.remaining() < 4 || header.getInt(0) != MAGIC) return new long[] {offset, 1, NO_HEADER, 0, 0};
        if (header.remaining() != HEADER_BYTES) return new long[] {offset, 1, CORRUPT, 0, 0};
        CRC32 head = new CRC32();
        head.update(header.array(), 0, HEADER_BYTES - 4);
        CRC32 body = new CRC32();
        body.update(value, bodyStart, value.length - bodyStart);
        if ((int) (head.getValue() ^ body.getValue()) != header.getInt(32)) return new long[] {offset, 1, CORRUPT, 0, 0};
        long run = (header.getInt(4) & 0xffff_ffffL) << 16 | (header.getShort(8) & 0xffff);
        return new long[] {offset, 1, run, header.getShort(10) & 0xffff, header.getLong(12)};
    }

    private void commit() {
        try {
            if (!owned.isEmpty()) consumer.commitSync(Duration.ofSeconds(10));
            List<long[]> offsets = new ArrayList<>();
            positions.forEach((partition, offset) -> offsets.add(new long[] {partition, offset}));
            tell("committed", "offsets", offsets, "atMs", now());
        } catch (RuntimeException error) {
            tellError(error, false);
        }
    }

    private void serve() throws InterruptedException {
        for (;;) {
            for (String command = COMMANDS.poll(); command != null; command = COMMANDS.poll()) {
                if (command.equals("stop")) return;
                if (command.equals("commit") && !commit.equals("none")) commit();
            }
            if (!poll()) continue;
            int delayMs = options.get("batchDelayMs").asInt();
            if (delayMs > 0) Thread.sleep(delayMs);
            if (commit.equals("each-batch")) commit();
        }
    }

    private void leave() {
        startThread(() -> {
            Thread.sleep(LEAVE_LIMIT_MS);
            Runtime.getRuntime().halt(1);
        });
        if (commit.equals("auto") || commit.equals("each-batch")) commit();
        consumer.close();
        tell("left", "atMs", now());
    }

    private interface Work {
        void run() throws Exception;
    }

    private static void startThread(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (Exception error) {
                tellError(error, true);
                Runtime.getRuntime().halt(1);
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private static void readCommands(BufferedReader input) throws IOException {
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            COMMANDS.add(JSON.readTree(line).get("type").asText());
        }
        COMMANDS.add("stop");
    }

    private static String libraryVersion() throws IOException {
        try (InputStream file = KafkaConsumer.class.getResourceAsStream("/kafka/kafka-version.properties")) {
            Properties properties = new Properties();
            properties.load(file);
            return properties.getProperty("version");
        }
    }

    public static void main(String[] args) {
        int code = 0;
        try {
            tell("hello", "library", "kafka-clients", "version", libraryVersion());
            BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            JsonNode options = JSON.readTree(input.readLine()).get("options");
            startThread(() -> readCommands(input));
            tell("joining", "atMs", now());
            Member member = new Member(options);
            member.serve();
            member.leave();
        } catch (Throwable error) {
            tellError(error, true);
            code = 1;
        }
        // Not a return: threads of the client may linger.
        Runtime.getRuntime().halt(code);
    }
}
