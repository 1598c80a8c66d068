import { beforeAll, expect, test } from '@jest/globals'
import type { Email } from '../../src/core/mail/digest.ts'
import { broken, complaints, soundMail, swap } from './broken.fixture.ts'
import { blindSpots, clientSupport } from './caniemail.ts'
import type { Finding } from './finding.ts'
import { headers } from './headers.ts'
import { links } from './links.ts'
import type { Mail } from './mail.ts'
import { markup } from './markup.ts'
import { privacy } from './privacy.ts'
import { size } from './size.ts'
import { faultsOf, tableOf } from './table.ts'
import { leftovers, textPart } from './text-part.ts'

type Gate = (mail: Mail) => Finding[] | Promise<Finding[]>

const GATES: Record<string, Gate> = {
  size,
  links,
  leftovers,
  textPart,
  privacy,
  headers,
  blindSpots,
  markup: (mail) => markup([mail]),
  clientSupport: (mail) => clientSupport([mail]),
}

let digest: Mail
let discreet: Mail
beforeAll(async () => {
  digest = await soundMail('digest')
  discreet = await soundMail('discreet')
})

const judged = async (gate: string, mail: Mail) => complaints((await GATES[gate]?.(mail)) ?? [])
const inBody = (words: string) => (email: Email) => ({ html: swap(email.html, '</body>', `${words}</body>`) })
const withHeaders = (more: Record<string, string>) => (email: Email) => ({
  headers: { ...email.headers, ...more },
})
const link = (href: string) => inBody(`<a href="${href}">there</a>`)

test.each(Object.keys(GATES))('the gate "%s" passes a sound email', async (gate) => {
  expect(await judged(gate, digest)).toBe('')
  expect(await judged(gate, discreet)).toBe('')
})

test.each<[string, string, (email: Email) => Partial<Email>, RegExp]>([
  ['size', '40 kB of anything', inBody('ä'.repeat(20_000)), /bytes are .* too many/],
  ['links', 'a link that is not encrypted', link('http://groups.sample.test/x'), /not https: http:/],
  ['links', 'a relative link', link('/sessions'), /not an absolute address: \/sessions/],
  ['links', 'a script as a link', link('javascript:alert(1)'), /not https: javascript/],
  ['links', 'a link to somebody else', link('https://evil.test/'), /leads elsewhere: https:\/\/evil/],
  [
    'links',
    'a link that counts readers',
    link('https://groups.sample.test/?utm_source=mail'),
    /where a reader came from/,
  ],
  [
    'links',
    'an address in a link',
    link('https://groups.sample.test/?to=ada%40sample.test'),
    /contains an email address/,
  ],
  ['links', 'a link that the text lacks', link('https://groups.sample.test/x'), /1 times in HTML, 0 in text/],
  [
    'links',
    'a link that is in the text only',
    ({ text }) => ({ text: `${text}\nhttps://groups.sample.test/x\n` }),
    /0 times in HTML, 1/,
  ],
  ['links', 'a pixel', inBody('<img src="https://pixel.test/1.gif" alt="">'), /third-party.*img src.*pixel/],
  ['links', 'a font', inBody('<style>@import "https://fonts.test/a"</style>'), /third-party.*style: @import/],
  ['links', 'a background', inBody('<div style="background:url(//cdn.test/a)"></div>'), /third-party.*cdn/],
  [
    'leftovers',
    'an absent value',
    ({ text }) => ({ text: swap(text, 'Ada', 'undefined') }),
    /text: .*undefined/,
  ],
  ['leftovers', 'an unfilled tag', inBody('{{name}}'), /html: .*\{\{name/],
  ['leftovers', 'a number that is none', ({ subject }) => ({ subject: `NaN ${subject}` }), /subject: .*NaN/],
  ['leftovers', 'an object', inBody('[object Object]'), /html: .*\[object/],
  [
    'textPart',
    'a wide line',
    ({ text }) => ({ text: `${'wide '.repeat(20)}\n${text}` }),
    /columns: too wide: wide/,
  ],
  [
    'textPart',
    'a wide rule',
    ({ text }) => ({ text: `${'-'.repeat(90)}\n${text}` }),
    /columns: too wide: ---/,
  ],
  ['textPart', 'a bell', ({ text }) => ({ text: `${text}\u0007` }), /a control character/],
  ['textPart', 'escapes of HTML', ({ text }) => ({ text: swap(text, 'Ada', 'Ad&#x61;') }), /HTML escapes/],
  ['textPart', 'a lost name', ({ text }) => ({ text: swap(text, 'Ada', 'you') }), /says 0 of 1 times: Ada/],
  ['privacy', 'a topic in the subject', () => ({ subject: '2 times for Anxiety' }), /Subject names Anxiety/],
  [
    'privacy',
    'a therapist in an encoded header',
    () => ({ subject: 'Dr. Íñigo Peña' }),
    /Subject names Dr. Íñigo/,
  ],
  [
    'privacy',
    'a group in a header',
    withHeaders({ 'X-Group': 'quiet mornings' }),
    /X-Group names Quiet Mornings/,
  ],
  ['privacy', 'the word therapy', () => ({ subject: 'Your therapy times' }), /gives away the subject/],
  ['headers', 'an unknown header', withHeaders({ 'X-Mailer': 'x' }), /an unforeseen header: X-Mailer/],
  [
    'headers',
    'no one-click',
    withHeaders({ 'List-Unsubscribe-Post': 'yes' }),
    /List-Unsubscribe-Post is yes/,
  ],
  [
    'headers',
    'no https address',
    withHeaders({ 'List-Unsubscribe': '<mailto:a@sample.test>' }),
    /does not begin with our https/,
  ],
  [
    'headers',
    'an email to unsubscribe to a person',
    withHeaders({
      'List-Unsubscribe': '<https://groups.sample.test/u>, <mailto:hello@sample.test?subject=unsubscribe>',
    }),
    /a way to unsubscribe that nobody reads/,
  ],
  ['headers', 'a long subject', () => ({ subject: 'x '.repeat(50) }), /over 78 characters/],
  ['blindSpots', 'a custom property', inBody('<p style="color:var(--x)">x</p>'), /a custom property/],
  ['blindSpots', 'a gradient', inBody('<p style="background:linear-gradient(red,blue)">x</p>'), /a gradient/],
  ['blindSpots', 'a drawing', inBody('<svg></svg>'), /an inline svg/],
  ['blindSpots', 'a position', inBody('<p style="position:absolute">x</p>'), /a position/],
  ['clientSupport', 'a shadow', inBody('<p style="box-shadow:0 0 5px red">x</p>'), /box-shadow in outlook/],
  ['clientSupport', 'a gap', inBody('<p style="display:flex;gap:5px">x</p>'), /gap in /],
  ['clientSupport', 'a WebP', inBody('<img src="https://groups.sample.test/a.webp" alt="">'), /webP/],
  [
    'markup',
    'an image without words',
    inBody('<img src="https://groups.sample.test/a.png">'),
    /wcag\/h37|alt/,
  ],
  ['markup', 'an unclosed element', inBody('<div><b>x</div>'), /close-order/],
  [
    'markup',
    'no title',
    ({ html }) => ({ html: swap(html, /<title>.*?<\/title>/s, '<title></title>') }),
    /empty-title/,
  ],
  [
    'markup',
    'another language',
    ({ html }) => ({ html: swap(html, 'lang="en"', 'lang="und"') }),
    /lang is und, not en/,
  ],
  ['markup', 'two chief headings', inBody('<h1>x</h1>'), /not exactly one h1/],
  ['markup', 'a heading too deep', inBody('<h6>x</h6>'), /headings skip a level/],
  [
    'markup',
    'a table that is read out',
    inBody('<table><tr><td>x</td></tr></table>'),
    /a layout table without a presentation role/,
  ],
])('the gate "%s" reports %s', async (gate, _, change, words) => {
  expect(await judged(gate, await broken(digest, change))).toMatch(words)
})

test('the table has one row for each gate, with the worst figure, its limit and what failed', async () => {
  const fat = await broken(digest, inBody('x'.repeat(50_000)))
  const findings = [...size(digest), ...size(fat), ...leftovers(digest)]
  expect(tableOf(findings).split('\n')).toEqual([
    expect.stringMatching(/^gate +emails +worst +limit$/),
    expect.stringMatching(/^HTML of a typical mail, bytes +2 +[67]\d,\d{3} +40,000 +FAILED in 1$/),
    expect.stringMatching(/^no undefined.* +1 +0 +0 +passed$/),
  ])
  expect(faultsOf(findings)).toMatch(/too many\n {4}in digest-en-typical$/)
})
