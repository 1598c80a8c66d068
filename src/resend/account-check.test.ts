import { expect, test } from '@jest/globals'
import { afterTest } from '../../test/app.ts'
import { aDomain } from '../../test/resend/domains.ts'
import { type StandInOptions, startResendStandIn } from '../../test/resend/stand-in.ts'
import { checkMail } from './account-check.ts'
import type { Check } from './check.ts'

const OUR_DOMAIN = 'mail.harbor.test'
const FREE = { daily: 100, monthly: 3_000 }
const FROM = `Harbor Groups <groups@${OUR_DOMAIN}>`

test('all is well with a verified domain, no tracking and the right time', async () => {
  expect(await linesFor({ domains: [aDomain('other.test'), aDomain('Mail.Harbor.test')] })).toEqual([
    'ok Resend key: Resend accepts it',
    'ok mail domain: mail.harbor.test is verified',
    'ok tracking: open and click tracking are off',
    'ok clock: agrees with Resend',
  ])
})

test('a key that only sends is right, and what it cannot see is left to a person', async () => {
  expect(await linesFor({ sendingOnly: true })).toEqual([
    expect.stringMatching(
      /^ok Resend key: may only send, as it should; .* that mail\.harbor\.test is verified/,
    ),
    'ok clock: agrees with Resend',
  ])
})

test.each([
  [
    FREE,
    101,
    /^warn Resend plan: stops at 100 emails a day, and you have 101 readers: .* \| Change the plan .*resend\.com/,
  ],
  [FREE, 100, /^ok Resend plan: 100 emails a day and 3,000 emails a month are enough for 100 readers$/],
  [
    { daily: null, monthly: 50_000 },
    10_001,
    /^warn Resend plan: has 50,000 emails a month, and five editions to 10,001 readers take 50,005 \|/,
  ],
  [
    { daily: null, monthly: 50_000 },
    10_000,
    /^ok Resend plan: 50,000 emails a month are enough for 10,000 readers$/,
  ],
])('compares the plan %j with %i readers', async (plan, readers, says) => {
  expect(await planFor({ plan }, readers)).toEqual([expect.stringMatching(says)])
})

test('what a key that only sends shows of the plan is used, and the rest left to a person', async () => {
  expect(await planFor({ plan: FREE, sendingOnly: true }, 211)).toEqual([
    expect.stringMatching(/^warn Resend plan: stops at 100 emails a day, and you have 211 readers/),
  ])
  expect(await planFor({ sendingOnly: true }, 211)).toEqual([
    expect.stringMatching(/^ok Resend plan: this key cannot see it\. .* 211 readers: .*resend\.com/),
  ])
  expect(await planFor({ sendingOnly: true }, 100)).toEqual([])
  expect(await planFor({ requestsPerSecond: 0 }, 211)).toEqual([])
})

test('distinguishes a wrong key from a Resend that cannot be reached', async () => {
  expect(await linesFor({ apiKey: 're_another' })).toMatchObject(
    [/^fail Resend key: 401: API key is invalid \| Make a key with sending access/, expect.anything()].map(
      (line) => (line instanceof RegExp ? expect.stringMatching(line) : line),
    ),
  )
  const [only, ...more] = await checkMail({
    apiKey: 're_x',
    baseUrl: 'http://127.0.0.1:1',
    from: FROM,
    now: new Date(),
  })
  expect([only?.status, only?.fix, more]).toEqual([
    'fail',
    'Let this machine reach https://api.resend.com, port 443.',
    [],
  ])
})

test('a busy Resend is no failure', async () => {
  expect(await linesFor({ requestsPerSecond: 0 })).toContainEqual(
    expect.stringMatching(/^warn Resend key: 429: .* \| Resend is busy/),
  )
})

test.each([
  [
    'that is another',
    [aDomain('harbor.test')],
    /^fail mail domain: mail\.harbor\.test, of MAIL_FROM, is not in this Resend account \| Add/,
  ],
  [
    'that is not verified yet',
    [aDomain(OUR_DOMAIN, { status: 'pending' })],
    /^fail mail domain: .* is pending \| Set the DNS records/,
  ],
  [
    'of which a record is missing',
    [aDomain(OUR_DOMAIN, { status: 'partially_verified' })],
    /^fail mail domain: .* is partially verified \|/,
  ],
  [
    'that tracks who opens',
    [aDomain(OUR_DOMAIN, { open_tracking: true })],
    /^fail tracking: open tracking is on \| Switch it off/,
  ],
  [
    'that tracks everything',
    [aDomain(OUR_DOMAIN, { open_tracking: true, click_tracking: true })],
    /^fail tracking: open and click tracking is on/,
  ],
  [
    'that may not send',
    [aDomain(OUR_DOMAIN, { capabilities: { sending: 'disabled', receiving: 'enabled' } })],
    /^fail mail domain: .* may not be sent from \| Enable/,
  ],
])('a domain %s is reported', async (_what, domains, says) => {
  expect(await linesFor({ domains })).toContainEqual(expect.stringMatching(says))
})

test('a wrong clock is reported, even at the smallest error that breaks webhooks', async () => {
  const off = async (minutes: number) =>
    (await linesFor({}, new Date(Date.now() + minutes * 60_000))).find((line) => line.includes('clock'))
  expect(await off(2.5)).toMatch(/^warn clock: 3 minutes ahead of Resend \| .*timedatectl/)
  expect(await off(-90)).toMatch(/^fail clock: 90 minutes behind Resend/)
})

test('the address that Resend gives for trying out is no sender', async () => {
  const checks = await checkMail({ apiKey: 're_x', from: 'Try <onboarding@resend.dev>', now: new Date() })
  expect(checks.map(asLine)).toEqual([
    expect.stringMatching(/^warn mail from: resend\.dev sends only to your own address \|/),
  ])
})

const UNSUBSCRIBING = {
  address: 'leave@in.harbor.test',
  endpoint: 'https://groups.harbor.test/webhooks/resend',
  lastAt: null,
}
const receiving = (differs: Partial<ReturnType<typeof aDomain>> = {}) =>
  aDomain('in.harbor.test', { capabilities: { sending: 'disabled', receiving: 'enabled' }, ...differs })
const REPORTED = { endpoint: UNSUBSCRIBING.endpoint, status: 'enabled' as const, events: ['email.received'] }

test.each<[string, StandInOptions, RegExp]>([
  [
    'all is set up',
    { domains: [receiving()], webhooks: [REPORTED] },
    /^ok unsubscribe address: in\.harbor\.test receives/,
  ],
  [
    'the webhook takes every event',
    { domains: [receiving()], webhooks: [{ ...REPORTED, events: null }] },
    /^ok /,
  ],
  [
    'the domain is not there',
    { domains: [], webhooks: [REPORTED] },
    /^fail .* is not in this Resend account \| Add/,
  ],
  [
    'the domain does not receive',
    { domains: [aDomain('in.harbor.test')], webhooks: [REPORTED] },
    /^fail .* does not receive \| Enable/,
  ],
  [
    'the MX record is not found',
    { domains: [receiving({ receivingRecord: 'not_started' })], webhooks: [REPORTED] },
    /^fail .* the MX record of in\.harbor\.test is not started \| Set/,
  ],
  [
    'no webhook is there',
    { domains: [receiving()] },
    /^fail .* does not report email\.received here \| .* to https:\/\/groups/,
  ],
  [
    'the webhook tells of other things',
    { domains: [receiving()], webhooks: [{ ...REPORTED, events: ['email.sent'] }] },
    /^fail .* does not report/,
  ],
  [
    'the webhook is off',
    { domains: [receiving()], webhooks: [{ ...REPORTED, status: 'disabled' }] },
    /^fail .* does not report/,
  ],
  [
    'the webhook goes elsewhere',
    { domains: [receiving()], webhooks: [{ ...REPORTED, endpoint: 'https://other.test/' }] },
    /^fail .* does not report/,
  ],
  [
    'the key only sends',
    { sendingOnly: true },
    /^warn .* no email has arrived at it yet \| See at .* run doctor again/,
  ],
])('of the address to unsubscribe at it is reported when %s', async (_what, account, says) => {
  expect(
    (await linesFor(account, new Date(), UNSUBSCRIBING)).find((line) => line.includes('unsubscribe address')),
  ).toMatch(says)
})

test('an email that arrived proves the address to a key that only sends', async () => {
  const lastAt = new Date('2026-11-20T10:00:00Z')
  expect(await linesFor({ sendingOnly: true }, new Date(), { ...UNSUBSCRIBING, lastAt })).toContain(
    'ok unsubscribe address: email arrives; the last on 2026-11-20',
  )
})

test('warns when the reply address is on a domain that receives at Resend, where no one reads replies', async () => {
  const receiving = aDomain('in.harbor.test', { capabilities: { sending: 'enabled', receiving: 'enabled' } })
  const domains = [aDomain(OUR_DOMAIN), receiving]
  const warned = expect.stringMatching(/^warn answers: in\.harbor\.test receives at Resend.*MAIL_REPLY_TO/)
  expect(await linesFor({ domains }, new Date(), null, 'Mira <mira@In.harbor.test>')).toContainEqual(warned)
  expect(await linesFor({ domains }, new Date(), null, 'mira@harbor.test')).not.toContainEqual(
    expect.stringContaining('answers'),
  )
  expect(await linesFor({ domains }, new Date())).not.toContainEqual(expect.stringContaining('answers'))
  const leaving = { address: 'leave@in.harbor.test', endpoint: 'https://x.test', lastAt: null }
  expect(await linesFor({ sendingOnly: true }, new Date(), leaving, 'mira@in.harbor.test')).toContainEqual(
    warned,
  )
  // Without MAIL_REPLY_TO, answers go to MAIL_FROM.
  const own = aDomain(OUR_DOMAIN, { capabilities: { sending: 'enabled', receiving: 'enabled' } })
  expect(await linesFor({ domains: [own] }, new Date())).toContainEqual(
    expect.stringContaining('warn answers: mail.harbor.test'),
  )
})

/** What the check reports of an account like this, a line each. */
async function planFor(account: StandInOptions, readers: number): Promise<string[]> {
  const resend = await startResendStandIn({ fromDomain: OUR_DOMAIN, ...account })
  afterTest(() => resend.close())
  const given = { apiKey: 're_stand_in', baseUrl: resend.url, from: FROM, now: new Date(), readers }
  return (await checkMail(given)).map(asLine).filter((line) => line.includes('Resend plan'))
}

async function linesFor(
  account: StandInOptions,
  now = new Date(),
  unsubscribing: Parameters<typeof checkMail>[0]['unsubscribing'] = null,
  replyTo?: string,
): Promise<string[]> {
  const resend = await startResendStandIn(account)
  afterTest(() => resend.close())
  const checks = await checkMail({
    apiKey: 're_stand_in',
    baseUrl: resend.url,
    from: FROM,
    now,
    unsubscribing,
    replyTo,
  })
  return checks.map(asLine)
}

const asLine = ({ status, name, detail, fix }: Check) =>
  `${status} ${name}: ${detail}${fix ? ` | ${fix}` : ''}`
