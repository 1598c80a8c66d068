/**
 * Where to turn in a crisis, by country: CRISIS_LINE. Each is that country's public line, open day and night:
 * https://988lifeline.org (us), https://988.ca (ca), https://www.samaritans.org (uk, ie), https://www.lifeline.org.au (au).
 * The catalogues have the sentences.
 */
export const CRISIS_LINES = ['us', 'ca', 'uk', 'ie', 'au', 'off'] as const

export type CrisisLine = (typeof CRISIS_LINES)[number]
