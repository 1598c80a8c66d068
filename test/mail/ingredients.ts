import type { Letterhead } from '../../src/core/mail/letterhead.ts'
import type { Offer } from '../../src/core/sessions/offers.ts'
import {
  HOSTILE,
  HOSTILE_URLS,
  longestOffers,
  longLetterhead,
  mostOffers,
  shortLetterhead,
  usualLetterhead,
  usualOffers,
  weekOfOffers,
} from './content.ts'
import { KINDS, type Kind, LANGUAGES, type Language, type Size } from './mail.ts'

/** The input from which the product's own composers make an email. */
export type Ingredients = {
  kind: Kind
  language: Language
  size: Size
  letterhead: Letterhead
  offers: Offer[]
  reader: { name: string | null; email: string; timeZone: string }
  more: number
  mustSay: string[]
}

/** Every kind in every language: with the least, the usual, and the most content allowed, and with hostile input. */
export function everyIngredients(): Ingredients[] {
  const ordinary = LANGUAGES.flatMap((language) =>
    KINDS.flatMap((kind) => [
      smallest(kind, language),
      typical(kind, language),
      largest(kind, language),
      ...(kind === 'digest' ? [week(kind, language), longest(kind, language)] : []),
      ...(language === 'en' && ['digest', 'confirm'].includes(kind) ? [branded(kind, language)] : []),
    ]),
  )
  const hostile = Object.keys(HOSTILE).flatMap((trap, index) => {
    const language = LANGUAGES[index % LANGUAGES.length] ?? 'en'
    return [hostileOf('digest', language, trap), hostileOf('already', language, trap)]
  })
  const toOperators = [
    { ...typical('review', 'en'), mustSay: [] },
    largest('review', 'en'),
    hostileOf('review', 'en', 'html'),
  ]
  return [...ordinary, ...toOperators, ...hostile]
}

const smallest = (kind: Kind, language: Language): Ingredients => ({
  kind,
  language,
  size: 'smallest',
  mustSay: [],
  more: 0,
  letterhead: shortLetterhead,
  offers: isDigest(kind) ? usualOffers(1, language) : [],
  reader: { name: null, email: 'jo.lee@sample.test', timeZone: 'America/Argentina/Buenos_Aires' },
})

export const typical = (kind: Kind, language: Language): Ingredients => ({
  kind,
  language,
  size: 'typical',
  mustSay: ['Ada'],
  more: 0,
  letterhead: usualLetterhead,
  offers: isDigest(kind) ? usualOffers(8, language) : [],
  reader: { name: 'Ada', email: 'ada@sample.test', timeZone: 'America/New_York' },
})

const branded = (kind: Kind, language: Language): Ingredients => ({
  ...typical(kind, language),
  size: 'branded',
})

const week = (kind: Kind, language: Language): Ingredients => ({
  ...typical(kind, language),
  size: 'week',
  offers: weekOfOffers(language),
})

const largest = (kind: Kind, language: Language): Ingredients => ({
  ...typical(kind, language),
  size: 'largest',
  mustSay: [],
  more: 12_345,
  letterhead: longLetterhead,
  offers: isDigest(kind) ? mostOffers(language) : [],
  reader: {
    name: 'María de los Ángeles Fernández-Villaverde',
    email: `${'a'.repeat(60)}@mail.sample.test`,
    timeZone: 'Europe/Madrid',
  },
})

const longest = (kind: Kind, language: Language): Ingredients => ({
  ...largest(kind, language),
  size: 'longest',
  offers: longestOffers(language),
})

/** One full session, with the trap in every field where someone can enter text. */
export function hostileOf(kind: Kind, language: Language, trap: string): Ingredients {
  const name = HOSTILE[trap] ?? ''
  // The trap appears in the greeting and postal address; in a digest also as topic, group, and therapist. BRAND_NAME
  // allows fewer characters.
  const practice = name.replace(/[<>"]/g, '').slice(0, 60).toWellFormed().trim()
  const offers = usualOffers(1, language).map((offer) => ({
    ...offer,
    topic: name,
    group: name,
    therapist: name,
    seatsLeft: 0,
    bookingUrl: HOSTILE_URLS[trap] ?? offer.bookingUrl,
  }))
  return {
    ...typical(kind, language),
    size: `hostile-${trap}`,
    mustSay: [...Array<string>(isDigest(kind) ? 5 : 2).fill(name), practice],
    letterhead: { ...usualLetterhead, practice, postalAddress: name },
    offers: isDigest(kind) ? offers : [],
    reader: { name, email: 'ada@sample.test', timeZone: 'America/New_York' },
  }
}

export const isDigest = (kind: Kind): boolean => kind === 'digest' || kind === 'discreet'
