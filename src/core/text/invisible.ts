// Invisible characters that people copy by accident from web pages, address books, and spreadsheets.
// Joiners (U+200C, U+200D) and variation selectors stay inside a text, where scripts and emoji need them.
const ANYWHERE = /[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2060-\u2064\u3164\ufeff\uffa0]/gu
const AT_AN_END =
  /^[\s\u200b-\u200f\u202a-\u202e\u2060-\u206f]+|[\s\u200b-\u200f\u202a-\u202e\u2060-\u206f]+$/gu

/** Removes invisible characters (marks, zero-width characters, soft hyphens), and white space at both ends. */
export const withoutInvisible = (text: string): string => text.replace(ANYWHERE, '').replace(AT_AN_END, '')
