import {
  Body,
  Button,
  Column,
  Container,
  Head,
  Heading,
  Html,
  Link,
  Preview,
  Row,
  Section,
  Text,
} from '@react-email/components'
import { type CSSProperties, createElement as h, type ReactElement } from 'react'
import type { PeerDigest, PeerSession } from './digest-words.ts'

/** The digest in React: the same words, links, and look as digest.mjml, with react-email's own components. */
export function Digest({ view }: { view: PeerDigest }): ReactElement {
  return h(
    Html,
    { lang: 'en', dir: 'ltr' },
    h(Head, null, h('title', null, view.subject), h('style', null, STYLE)),
    h(Preview, null, view.preheader),
    h(
      Body,
      { style: body, className: 'bg' },
      h(Container, { style: page }, h(Text, { style: strong }, view.practice)),
      h(Container, { style: sheet, className: 'sheet' }, ...opening(view), ...topics(view), ...closing()),
      h(Container, { style: page }, ...foot(view)),
    ),
  )
}

function opening({ heading, name, place }: PeerDigest): ReactElement[] {
  return [
    h(Heading, { as: 'h1', style: title }, heading),
    h(Text, { style: plain }, 'Hello', name ? ' ' : '', name ? h('bdi', null, name) : '', ','),
    h(
      Text,
      { style: plain },
      `Here is what is new since we last wrote. All times are ${place} time, and each has a link to reserve a place.`,
    ),
  ]
}

function topics({ topics }: PeerDigest): ReactElement[] {
  return topics.map(({ name, sessions }) =>
    h(
      Section,
      { key: name },
      h(Heading, { as: 'h2', style: subtitle }, name),
      ...sessions.map((session) => h(Session, { key: session.id, session })),
    ),
  )
}

function Session({ session }: { session: PeerSession }): ReactElement {
  const { group, label, when, whenForGroup, kind, therapist, length, seats } = session
  return h(
    Row,
    null,
    h(
      Column,
      { style: what, className: 'what line' },
      h(
        Heading,
        { as: 'h3', style: small },
        h('bdi', null, group),
        ' ',
        h('span', { style: tag, className: 'label' }, label),
      ),
      h(Text, { style: strong, className: 'accent' }, when),
      h(
        Text,
        { style: quiet, className: 'quiet' },
        ...(whenForGroup ? [whenForGroup, h('br', { key: 'br' })] : []),
        `${kind} with `,
        h('bdi', null, therapist),
        `, ${length}`,
      ),
      seats ? h(Text, { style: few, className: 'few' }, seats) : null,
    ),
    h(
      Column,
      { style: act, className: 'act line quiet', align: 'right', width: 110 },
      h(Button, { href: session.reserveUrl, style: button, 'aria-label': session.reserveLabel }, 'Reserve'),
      h(
        Link,
        { href: session.calendarUrl, style: link, 'aria-label': session.calendarLabel },
        'Add to calendar',
      ),
    ),
  )
}

function closing(): ReactElement[] {
  return [
    h(
      Text,
      { style: plain, key: 'closing' },
      'A place may have gone since we wrote; the booking page always knows. If nothing here suits you, there is nothing to do: we write again when there are new times.',
    ),
  ]
}

function foot({ practice, preferencesUrl, unsubscribeUrl, crisisNote, postalAddress }: PeerDigest) {
  const reason = `You get this mail because you asked ${practice} for new group times.`
  return [
    h(Text, { style: quiet, key: 'why' }, `${reason} Questions? Just reply.`),
    h(
      Text,
      { style: quiet, key: 'links' },
      h(Link, { href: preferencesUrl, style: link }, 'Change your preferences'),
      ' · ',
      h(Link, { href: unsubscribeUrl, style: link }, 'Unsubscribe'),
    ),
    h(Text, { style: quiet, key: 'crisis' }, crisisNote),
    h(Text, { style: quiet, key: 'address' }, postalAddress),
  ]
}

const FONT = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
const body: CSSProperties = { background: '#f4f1ea', color: '#26302c', fontFamily: FONT, margin: 0 }
const page: CSSProperties = { maxWidth: '640px', padding: '22px 24px' }
const sheet: CSSProperties = { ...page, background: '#fffefb', borderRadius: '14px' }
const plain: CSSProperties = { fontSize: '16px', lineHeight: '25px', margin: '10px 0 0' }
const strong: CSSProperties = { ...plain, margin: 0, color: '#0b5c4a', fontWeight: 600 }
const quiet: CSSProperties = { ...plain, fontSize: '14px', lineHeight: '22px', color: '#5a655f' }
const few: CSSProperties = { ...plain, margin: 0, color: '#8a4a12', fontWeight: 600 }
const title: CSSProperties = { fontSize: '25px', lineHeight: '32px', fontWeight: 600, margin: 0 }
const subtitle: CSSProperties = {
  fontSize: '19px',
  lineHeight: '26px',
  fontWeight: 600,
  margin: '32px 0 10px',
}
const small: CSSProperties = { fontSize: '16px', fontWeight: 600, margin: 0 }
const tag: CSSProperties = { fontSize: '13px', fontWeight: 500, color: '#0b5c4a' }
const link: CSSProperties = { color: '#0b5c4a', fontSize: '13px', lineHeight: '40px' }
const what: CSSProperties = { padding: '15px 14px 16px 0', borderTop: '1px solid #e4dfd3' }
const act: CSSProperties = { borderTop: '1px solid #e4dfd3' }
const button: CSSProperties = {
  padding: '12px 20px',
  color: '#ffffff',
  background: '#0b5c4a',
  borderRadius: '9px',
  fontSize: '15px',
  fontWeight: 600,
}
const STYLE = `:root { color-scheme: light dark; supported-color-schemes: light dark; }
.label { background: #e2eee8; border-radius: 9px; padding: 2px 9px; white-space: nowrap; }
@media (max-width: 520px) { .what, .act { display: block !important; width: auto !important; } }
@media (prefers-color-scheme: dark) {
  .bg { background: #141a18 !important; color: #e9ece7 !important; }
  .sheet { background: #1d2522 !important; }
  .bg .quiet { color: #aab5ae !important; }
  .bg .accent, .bg a { color: #8fd3bd !important; }
  .bg .few { color: #f0b67f !important; }
}`
