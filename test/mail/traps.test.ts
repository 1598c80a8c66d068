import { expect, test } from '@jest/globals'
import Handlebars from 'handlebars'
import { checked } from '../../src/core/mail/digest.ts'
import { broken, complaints, soundMail, swap } from './broken.fixture.ts'
import { HOSTILE } from './content.ts'
import { headerInjection } from './header-injection.ts'
import { hostileOf } from './ingredients.ts'
import { links } from './links.ts'
import { markup } from './markup.ts'
import { sameness } from './sameness.ts'
import { leftovers, textPart } from './text-part.ts'
import { composeFrom } from './variants.ts'

test.each(Object.keys(HOSTILE))(
  'a trap of %s is printed unchanged; a changed one is reported',
  async (trap) => {
    const name = HOSTILE[trap] ?? ''
    const mail = await soundMail('digest', hostileOf('digest', 'en', trap))
    expect(
      complaints([...leftovers(mail), ...links(mail), ...textPart(mail).slice(1), ...(await markup([mail]))]),
    ).toBe('')
    const printed = Handlebars.escapeExpression(name)
    // HTML as it is, and anything else cut short.
    const wrong = name.includes('<') ? name : name.slice(0, 10)
    const mangled = await broken(mail, ({ html, text }) => ({
      html: html.replaceAll(printed, wrong),
      text: text.replaceAll(name.slice(0, 10), '…'),
    }))
    expect(complaints(await markup([mangled]))).toMatch(/says \d of [56] times/)
    expect(complaints(textPart(mangled))).toMatch(/says \d of [56] times/)
  },
)

test('a name that is missing in one place is reported', async () => {
  const mail = await soundMail('digest', hostileOf('digest', 'en', 'long'))
  const lost = await broken(mail, ({ html }) => ({
    html: swap(html, /(?<=<h3[^>]*>.*?<bdi>)[^]*?(?=<\/bdi>)/, 'A group'),
  }))
  expect(complaints(await markup([lost]))).toContain('says 4 of 5 times')
})

test('a composer that lets line breaks into headers is reported; ours is not', async () => {
  const { digest: compose } = await composeFrom()
  const digest = await soundMail()
  expect(complaints(await headerInjection('digest', compose, 40))).toBe('')
  const careless = await headerInjection('digest', ({ group = 'Steady Ground' }) => ({
    ...digest.email,
    subject: group,
  }))
  expect(complaints(careless)).toMatch(/group of ".*" reaches a header/)
  expect(() => checked({ ...digest.email, subject: 'a\r\nBcc: b' })).toThrow('line break')
})

test('bytes that change with the day are reported', async () => {
  const digest = await soundMail()
  const changed = await broken(digest, ({ text }) => ({ text: `${text}Monday` }))
  const [same, other] = await sameness([digest, changed])
  expect(same?.faults).toEqual([])
  expect(other?.faults).toEqual(['the bytes differ'])
})
