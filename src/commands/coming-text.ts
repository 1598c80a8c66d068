import { type Coming, comingEdition } from '../actions/editions/coming.ts'
import type { Installation } from '../app.ts'
import { sentencesOf } from '../core/review/sentences.ts'
import { operatorWords } from '../templates/operator-words.ts'
import { counted, number, people, when } from './layout.ts'

/** The coming edition as JSON: instants are ISO, and each flag comes with its sentences. */
export async function comingDocument(installation: Installation) {
  const {
    at,
    asOf,
    reviewAt,
    reviewedAt,
    waitsUntil,
    flags,
    keys: _keys,
    counts,
    ...coming
  } = await comingEdition(installation)
  const words = await wordsFor(installation)
  return {
    ...coming,
    scheduledFor: at.toISOString(),
    flags: flags.map((flag) => ({ ...flag, ...sentencesOf(flag, words) })),
    ...counts,
    asOf: asOf?.toISOString() ?? null,
    reviewAt: reviewAt?.toISOString() ?? null,
    reviewedAt: reviewedAt?.toISOString() ?? null,
    waitsUntil: waitsUntil.toISOString(),
  }
}

/** The coming edition in sentences: when, for how many, what is odd, and what happens if nobody does anything. */
export async function comingText(installation: Installation): Promise<string> {
  const coming = await comingEdition(installation)
  const words = await wordsFor(installation)
  const zone = installation.config.DIGEST_TIME_ZONE
  return [
    `${coming.at > installation.now() ? 'Coming' : 'Due'}: edition ${coming.id}, ${when(coming.at, zone)}. ${audienceIn(coming)}`,
    ...coming.flags.map((flag) => {
      const { what, todo } = sentencesOf(flag, words)
      return `  - ${what} ${todo}`
    }),
    `${OUTLOOK[coming.state]}${waitingIn(coming, zone)}`,
  ].join('\n')
}

const OUTLOOK: Record<Coming['state'], string> = {
  open: 'It has not been reviewed yet.',
  clear: 'Nothing about it is odd.',
  flagged: 'It is flagged.',
  held: 'It is held.',
  approved: 'It is approved.',
  waiting: 'It is due and waits for a person.',
}

function audienceIn({ counts }: Coming): string {
  if (counts === null) return 'Its readers are not counted yet.'
  const { recipients, candidates, news } = counts
  return `${number(recipients)} of ${people(candidates)} would get it, with ${counted(news, 'new group time')}.`
}

function waitingIn({ id, waits, waitsUntil }: Coming, zone: string): string {
  if (!waits) return ' If nobody does anything, it goes out.'
  return ` It goes out once someone approves it: openseat edition approve ${id}\nIf nobody has by ${when(waitsUntil, zone)}, the next edition has its news.`
}

const wordsFor = ({ config }: Installation) =>
  operatorWords({ folder: config.TEMPLATES_PATH, locale: config.LOCALE })
