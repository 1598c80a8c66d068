import type { Correction, Offer, Wrong } from '../sessions/offers.ts'
import { formatOccurrence } from '../time/occurrences.ts'
import { zoneTitle } from '../time/zone-titles.ts'
import type { Translator } from '../words/words.ts'
import { type Opening, previewOf } from './digest-opening.ts'
import { plain } from './digest-page.ts'

type Readers = { translator: Translator; timeZone: string; discreet: boolean }

/**
 * What stands in an email that corrects one session: what is so, and what was said instead. Subject and preheader name neither the
 * group nor what was wrong.
 */
export function correctionOpening(
  offer: Offer & { correction: Correction },
  { translator, timeZone, discreet }: Readers,
  since: Date,
): Opening {
  const { t } = translator
  const said = offer.correction.wrong.map((wrong) => sentence(wrong, offer, { translator, timeZone }, since))
  const lead = [...said, t('digest.correction.zone', { zone: zoneTitle(timeZone, translator) })].join(' ')
  if (discreet) {
    const subject = t('digest.subject.discreet')
    return { subject, heading: subject, lead, preheader: previewOf(t('digest.preheader.discreet')) }
  }
  return {
    subject: t('digest.subject.correction'),
    heading: t('digest.heading.correction'),
    lead,
    preheader: previewOf(t('digest.preheader.correction')),
  }
}

function sentence(
  wrong: Wrong,
  offer: Offer & { correction: Correction },
  { translator, timeZone }: Omit<Readers, 'discreet'>,
  since: Date,
): string {
  const { t, locale } = translator
  const { was } = offer.correction
  const text = (value: string | null) => plain(value ?? '') || '–'
  switch (wrong) {
    case 'time': {
      const at = (start: string, repeats: Offer['repeats']) => {
        const { weekday, day, time } = formatOccurrence(new Date(start), timeZone, locale, since)
        return `${repeats === 'weekly' ? weekday : day}, ${time}`
      }
      return t('digest.correction.time', {
        at: at(offer.startsAt, offer.repeats),
        was: at(was.startsAt, was.repeats),
      })
    }
    case 'therapist':
      return t('digest.correction.therapist', { now: text(offer.therapist), was: text(was.therapist) })
    case 'minutes':
      return t('digest.correction.minutes', { now: offer.durationMinutes, was: was.durationMinutes })
    case 'place':
      return t('digest.correction.place', { now: text(offer.place), was: text(was.place) })
    case 'price':
      return t('digest.correction.price', { now: text(offer.price), was: text(was.price) })
    case 'link':
    case 'cancelled':
    case 'full':
      return t(`digest.correction.${wrong}`)
  }
}
