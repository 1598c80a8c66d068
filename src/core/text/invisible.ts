// Signs that take no room and are not meant: copying out of web pages, address books and spreadsheets brings them along.
// Joiners (U+200C, U+200D) and variation selectors stay within a text, as scripts and emoji need them there.
const ANYWHERE = /[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2060-\u2064\u3164\ufeff\uffa0]/gu
const AT_AN_END =
  /^[\s\u200b-\u200f\u202a-\u202e\u2060-\u206f]+|[\s\u200b-\u200f\u202a-\u202e\u2060-\u206f]+$/gu

/** The text without characters that nobody sees and nobody means: marks, zero-width and soft signs, blanks at the ends. */
export const withoutInvisible = (text: string): string => text.replace(ANYWHERE, '').replace(AT_AN_END, '')
