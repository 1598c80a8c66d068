/** What readers can know of a group besides its name. Null = the practice does not say. */
export type GroupFacts = {
  /** One sentence: who it is for, and what happens. */
  summary: string | null
  /** Its page on the practice's website, https. */
  groupUrl: string | null
  /** What is spoken in it: a BCP 47 primary tag, `es`. */
  language: string | null
  /** Online, or where it meets. */
  place: string | null
  /** What it costs, in words. */
  price: string | null
}

/** Nothing is said of the group. */
export const UNSAID: GroupFacts = {
  summary: null,
  groupUrl: null,
  language: null,
  place: null,
  price: null,
}
