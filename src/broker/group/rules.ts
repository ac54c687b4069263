/** The decisions of a group as named functions, so that a defect is a set of rules with one of them replaced. */

export interface GroupRules {
  isJoinComplete(): boolean
}
