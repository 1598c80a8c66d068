import type { Translator } from '../../core/words/words.ts'

type Words = Pick<Translator, 'locale'>

/** An instant (ms UTC or ISO) in the practice's zone: `Mon, Nov 30, 9:00 AM`. */
export const whenIn = (instant: number | string | Date, timeZone: string, { locale }: Words): string =>
  new Intl.DateTimeFormat(locale, {
    weekday: 'short',
    month: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZone,
  }).format(new Date(instant))

/** The day of an edition by its id, `November 30, 2026`. */
export const dayOf = (editionId: string, { locale }: Words): string =>
  new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(
    new Date(`${editionId}T00:00Z`),
  )
