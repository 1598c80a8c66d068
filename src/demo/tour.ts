import type { App } from '../app.ts'
import { letterheadOf } from '../core/mail/letterhead.ts'
import { linksOf } from '../core/mail/links.ts'
import { hashEmail } from '../core/tokens.ts'
import { findByEmailHash } from '../db/people/subscribers.ts'
import type { Inbox } from './inbox/server.ts'
import type { SampleKind, SampleReader } from './sample-readers.ts'
import { quoted } from './settings.ts'

/** Readers whose email shows something of its own. */
export function examplesFrom(readers: readonly SampleReader[]) {
  const usual = guideOf(readers)
  const spanish = found(
    readers,
    ({ kind, locale, discreet }) => kind === 'regular' && locale === 'es' && !discreet,
  )
  const discreet = found(
    readers,
    ({ kind, locale, discreet }) => kind === 'regular' && locale === 'en' && discreet,
  )
  const joined = ofKind(readers, 'joined')
  return [
    { label: `${usual.name}: a usual week`, to: usual.email },
    { label: `${joined.name}: a first email`, to: joined.email },
    { label: `${spanish.name}: in Spanish`, to: spanish.email },
    { label: `${discreet.name}: discreet`, to: discreet.email },
  ]
}

type Scene = {
  editionId: string
  readers: readonly SampleReader[]
  inbox: Inbox
  envFile: string
  ownerLink: string
}

/** What to look at: the inbox first, then the pages, then commands for a second terminal. */
export async function tour(
  app: App,
  { editionId, readers, inbox, envFile, ownerLink }: Scene,
): Promise<string> {
  const guide = guideOf(readers)
  const away = ofKind(readers, 'paused')
  const email = inbox.mailbox.all().find(({ to }) => to.includes(guide.email))
  const subscriber = await findByEmailHash(app.store, hashEmail(app.hashKey, guide.email))
  const links = linksOf(app.config.LINK_SECRET, letterheadOf(app.config))
  const publicId = subscriber?.publicId ?? ''
  const line = (name: string, link: string) => `  ${name.padEnd(15)} ${link}`
  return `
Open the inbox first. It shows each email as its reader gets it, on a phone or a desktop, light or dark:
${line('Inbox', `${inbox.url}/`)}
${line(`${guide.name}’s email`, `${inbox.url}/inbox/${email?.id ?? ''}`)}

Then the pages that its links open:
${line('Unsubscribe', links.unsubscribe(publicId))}
${line('Preferences', links.preferences(publicId))}
${line('Group times', `${app.config.PUBLIC_URL}/sessions`)}
${line('Subscribe', `${app.config.PUBLIC_URL}/`)}

And the operators’ side. This link signs you in as the owner of the practice:
${line('Operators', ownerLink)}

To continue, open a second terminal in this folder. The first line loads the settings of this demo:
  . ${shellWord(envFile)}
  ./openseat edition show ${editionId}
  ./openseat explain ${away.email} ${editionId}
  ./openseat edition resend ${editionId} --to ${guide.email}
  ./openseat doctor

Ctrl-C ends the demo and cleans up.`
}

const guideOf = (readers: readonly SampleReader[]): SampleReader => ofKind(readers, 'regular')

const ofKind = (readers: readonly SampleReader[], kind: SampleKind): SampleReader =>
  found(readers, (reader) => reader.kind === kind)

function found(readers: readonly SampleReader[], is: (reader: SampleReader) => boolean): SampleReader {
  const reader = readers.find(is)
  if (!reader) throw new Error('the sample data has no such reader')
  return reader
}

const shellWord = (path: string): string => (/^[\w./+-]+$/.test(path) ? path : quoted(path))
