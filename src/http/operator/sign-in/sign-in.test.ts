import { expect, test } from '@jest/globals'
import { TOTP } from 'otpauth'
import { type TestApp, testApp } from '../../../../test/app.ts'
import { getAs, operatorServer, postAs, signedIn } from '../../../../test/operator.ts'
import { makeEntryLink } from '../../../actions/operators/entry-links.ts'
import { changeRole, removeOperator } from '../../../actions/operators/people.ts'
import type { Role } from '../../../core/operators/actor.ts'
import { lookForCopy } from '../../../db/restore/epoch.ts'
import { operators, signIns } from '../../../db/schema/operators.ts'

type Server = Awaited<ReturnType<typeof operatorServer>>

const PASSWORD = 'four gulls over the quay'
const MIRA = 'mira@sample.test'

const pathOf = (url: string) => new URL(url).pathname

async function linkFor(app: TestApp, email = MIRA, role: Role | null = 'owner'): Promise<string> {
  const made = await makeEntryLink(app, { email, role })
  if (made.kind !== 'made') throw new Error(made.kind)
  return pathOf(made.url)
}

const cookieOf = ({ headers }: { headers: Record<string, unknown> }): string =>
  /^[^;]*/.exec(String([headers['set-cookie']].flat()[0]))?.[0] ?? ''

const codeOf = (secret: string, app: TestApp, later = 0): string =>
  new TOTP({ secret }).generate({ timestamp: app.now().getTime() + later })

/** Mira, who chose a password and an app by a link. */
async function enrolled(app: TestApp, server: Server, email = MIRA) {
  const entered = await postAs(server, null, await linkFor(app, email))
  const who = { cookie: cookieOf(entered), operatorId: 0 }
  const page = (await getAs(server, who, '/enrol')).body
  const secret = /<code>([A-Z2-7 ]+)<\/code>/.exec(page)?.[1]?.replaceAll(' ', '') ?? ''
  const form = { password: PASSWORD, code: codeOf(secret, app, -30_000) }
  const { body, statusCode } = await postAs(server, who, '/enrol/password', form)
  expect(statusCode).toBe(200)
  const codes = [...body.matchAll(/<code>([\w-]+)<\/code>/g)].map(([, code = '']) => code)
  return { who, secret, codes }
}

test('a fresh installation says the one command that lets someone in', async () => {
  const app = await testApp()
  const server = await operatorServer(app)
  expect((await getAs(server, null, '/account')).headers.location).toBe('/sign-in?next=%2Faccount')
  expect((await getAs(server, null, '/sign-in')).body).toContain('./openseat operator link')
  await linkFor(app)
  expect((await getAs(server, null, '/sign-in')).body).not.toContain('./openseat operator link')
})

test('a link is used up by pressing its button and by nothing else, works for half an hour, and ends the one before', async () => {
  const app = await testApp()
  const server = await operatorServer(app)
  const older = await linkFor(app)
  const link = await linkFor(app)
  expect((await getAs(server, null, older)).statusCode).toBe(410)
  for (const method of ['GET', 'HEAD', 'GET'] as const)
    expect((await server.inject({ method, url: link, headers: { host: '127.0.0.1:3001' } })).statusCode).toBe(
      200,
    )
  const entered = await postAs(server, null, link)
  expect([entered.statusCode, entered.headers.location]).toEqual([303, '/enrol'])
  expect((await postAs(server, null, link)).statusCode).toBe(410)

  const late = await linkFor(app)
  app.setNow('2026-11-23T15:30:00.000Z')
  expect((await getAs(server, null, late)).statusCode).toBe(410)
  expect((await postAs(server, null, late)).statusCode).toBe(410)
  expect(app.db.select().from(operators).all()).toMatchObject([
    { email: MIRA, role: 'owner', passwordHash: null },
  ])
})

test('until someone has chosen how to sign in, nothing but that is open to them', async () => {
  const app = await testApp()
  const server = await operatorServer(app)
  const who = { cookie: cookieOf(await postAs(server, null, await linkFor(app))), operatorId: 0 }
  expect((await getAs(server, who, '/account')).headers.location).toBe('/enrol')
  expect((await postAs(server, who, '/account/codes')).headers.location).toBe('/enrol')
  const page = await getAs(server, who, '/enrol')
  expect(page.body).toContain('data:image/svg+xml')
  const wrong = async (form: Record<string, string>) => {
    const { statusCode, body } = await postAs(server, who, '/enrol/password', form)
    return [statusCode, /class="wrong"[^>]*>([^<]*)/.exec(body)?.[1]]
  }
  expect(await wrong({ password: 'short', code: '123456' })).toEqual([422, 'Use at least 12 characters.'])
  expect(await wrong({ password: 'harbor groups 1', code: '123456' })).toEqual([
    422,
    expect.stringContaining('easy to guess'),
  ])
  expect(await wrong({ password: PASSWORD, code: '000000' })).toEqual([
    422,
    expect.stringContaining('not the code'),
  ])
})

test('a password and a code sign in, each code once, and a wrong part is not told from an unknown address', async () => {
  const app = await testApp()
  const server = await operatorServer(app)
  const { who, secret, codes } = await enrolled(app, server)
  expect(codes).toHaveLength(10)
  expect((await getAs(server, who, '/enrol')).headers.location).toBe('/')
  expect((await getAs(server, who, '/account')).body).toContain('mira@sample.test, owner.')

  const signIn = (form: Record<string, string>) => postAs(server, null, '/sign-in', form)
  const code = codeOf(secret, app)
  const right = { email: 'MIRA@sample.test', password: PASSWORD, code, next: '/account' }
  const wrongs = [
    await signIn({ ...right, code: codeOf(secret, app, -30_000) }), // used when it was set up
    await signIn({ ...right, password: `${PASSWORD}!` }),
    await signIn({ ...right, code: '000000' }),
    await signIn({ ...right, email: 'nobody@sample.test' }),
    await signIn({ ...right, email: 'no address' }),
  ]
  const plain = wrongs.map(({ statusCode, body }) => [statusCode, body.replace(/value="[^"]*"/g, '')])
  expect(new Set(plain.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(plain[0]?.[0]).toBe(422)

  const into = await signIn(right)
  expect([into.statusCode, into.headers.location]).toEqual([303, '/account'])
  expect(into.headers['set-cookie']).toMatch(/^openseat=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
  expect((await signIn(right)).statusCode).toBe(422)
  expect((await signIn({ ...right, code: codes[0]?.toUpperCase() ?? '' })).statusCode).toBe(303)
  expect((await signIn({ ...right, code: codes[0] ?? '' })).statusCode).toBe(422)
  expect((await getAs(server, { cookie: cookieOf(into), operatorId: 0 }, '/account')).body).toContain(
    'You have 9 left.',
  )
})

test('guesses are stopped, also after a restart, and the person they are about still gets in from elsewhere', async () => {
  const app = await testApp({ settings: { TRUST_PROXY: '1' }, file: true })
  const server = await operatorServer(app)
  const { secret } = await enrolled(app, server)
  const guess = (at: Server, ip: string, password: string, email = MIRA) =>
    at.inject({
      method: 'POST',
      url: '/sign-in',
      headers: {
        host: '127.0.0.1:3001',
        'sec-fetch-site': 'same-origin',
        'x-forwarded-for': ip,
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: new URLSearchParams({ email, password, code: codeOf(secret, app) }).toString(),
    })
  const statuses: number[] = []
  for (let n = 0; n < 11; n += 1)
    statuses.push((await guess(server, `203.0.113.${n}`, `guess ${n}`)).statusCode)
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 422), 429])
  const restarted = await operatorServer(await app.sibling())
  expect((await guess(restarted, '203.0.113.99', PASSWORD)).statusCode).toBe(429)
  expect((await guess(restarted, '203.0.113.99', PASSWORD, 'nobody@sample.test')).statusCode).toBe(422)
  expect((await guess(restarted, '198.51.100.7', PASSWORD)).statusCode).toBe(303)

  const other: number[] = []
  for (let n = 0; n < 61; n += 1)
    other.push((await guess(server, '192.0.2.7', 'x', `n${n}@sample.test`)).statusCode)
  expect(other.indexOf(429)).toBe(60)
  app.setNow('2026-11-23T16:00:01.000Z')
  expect((await guess(server, '203.0.113.99', PASSWORD)).statusCode).toBe(303)
}, 60_000)

test('signing out ends the cookie on our side, and asks the browser to forget', async () => {
  const app = await testApp()
  const server = await operatorServer(app)
  const { who } = await enrolled(app, server)
  const out = await postAs(server, who, '/sign-out')
  expect(out.headers).toMatchObject({
    location: '/sign-in',
    'clear-site-data': '"cache", "cookies", "storage"',
  })
  expect((await getAs(server, who, '/account')).statusCode).toBe(303)
  expect(app.db.select().from(signIns).all()).toEqual([])
})

test('a fresh proof counts for ten minutes, and comes back to where it was asked for', async () => {
  const app = await testApp()
  const server = await operatorServer(app)
  const { who, secret } = await enrolled(app, server)
  app.setNow('2026-11-23T15:10:01.000Z')
  expect((await postAs(server, who, '/account/codes')).headers.location).toBe('/prove?next=%2Faccount')
  expect((await postAs(server, who, '/account/passkeys/remove')).headers.location).toBe(
    '/prove?next=%2Faccount',
  )
  expect((await getAs(server, who, '/prove?next=/account')).body).toContain('name="next" value="/account"')
  const prove = (form: Record<string, string>) => postAs(server, who, '/prove', { next: '/account', ...form })
  expect((await prove({ password: 'wrong', code: codeOf(secret, app) })).statusCode).toBe(422)
  const proven = await prove({ password: PASSWORD, code: codeOf(secret, app) })
  expect([proven.statusCode, proven.headers.location]).toEqual([303, '/account'])
  expect((await postAs(server, who, '/account/codes')).body).toContain('Keep these recovery codes')
  for (const next of ['//evil.test', 'https://evil.test', '/\\evil.test', '/\t/evil.test', 'evil', ''])
    expect((await prove({ next, password: PASSWORD, code: 'x' })).body).toContain('name="next" value="/"')
})

test('a change of password ends the other sign-ins, and a change of role, a removal or a new link ends them all', async () => {
  const app = await testApp()
  const server = await operatorServer(app)
  const { who } = await enrolled(app, server)
  await enrolled(app, server, 'sam@sample.test')
  const isIn = async (one: typeof who) => (await getAs(server, one, '/account')).statusCode === 200
  expect((await postAs(server, who, '/account/password', { password: 'short' })).statusCode).toBe(422)
  expect(
    (await postAs(server, who, '/account/password', { password: 'five gulls over the quay' })).statusCode,
  ).toBe(303)
  expect(await isIn(who)).toBe(true)

  const [mira, sam] = app.db.select().from(operators).all()
  expect(await changeRole(app, sam?.id ?? 0, 'editor')).toBe('done')
  expect(
    app.db
      .select()
      .from(signIns)
      .all()
      .map(({ operatorId }) => operatorId),
  ).toEqual([mira?.id])
  await postAs(server, null, await linkFor(app, MIRA, null))
  expect(await isIn(who)).toBe(false)
})

test('of two owners who remove each other at once one stays, and the last keeps the role', async () => {
  const app = await testApp({ file: true })
  const [one, other] = [await signedIn(app, 'owner'), await signedIn(app, 'owner')]
  const sibling = await app.sibling()
  const races = [removeOperator(app, one.operatorId), removeOperator(sibling, other.operatorId)]
  expect((await Promise.all(races)).toSorted()).toEqual(['done', 'refused'])
  const [left] = app.db
    .select()
    .from(operators)
    .all()
    .filter(({ removedAt }) => removedAt === null)
  expect(await changeRole(app, left?.id ?? 0, 'editor')).toBe('refused')
  expect((await makeEntryLink(app, { email: left?.email ?? '', role: 'operator' })).kind).toBe('last-owner')
  expect(await changeRole(app, left?.id ?? 0, 'owner')).toBe('done')
})

test('someone ends their own sign-ins and nobody else’s, and keeps a way to sign in', async () => {
  const app = await testApp()
  const server = await operatorServer(app)
  const [mine, theirs] = [await signedIn(app, 'editor'), await signedIn(app, 'owner')]
  const [, row] = app.db.select().from(signIns).all()
  await postAs(server, mine, `/account/sign-ins/${row?.id}/end`)
  await postAs(server, mine, '/account/sign-ins/end')
  expect((await getAs(server, theirs, '/account')).statusCode).toBe(200)
  expect((await getAs(server, mine, '/account')).body).toContain('Signed out everywhere else.')
  await postAs(server, mine, '/account/passkeys/remove', { id: 'x' })
  expect((await getAs(server, mine, '/account')).body).toContain('That is your only way to sign in.')
})

test('a passkey that was not asked for signs nobody in', async () => {
  const app = await testApp({ settings: { OPERATOR_URL: 'http://localhost:3001' } })
  const server = await operatorServer(app)
  const post = (url: string, payload: string) =>
    server.inject({
      method: 'POST',
      url,
      headers: {
        host: 'localhost:3001',
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload,
    })
  const options = (await post('/sign-in/passkey/options', '')).json()
  expect(options).toMatchObject({ rpId: 'localhost', userVerification: 'required', allowCredentials: [] })
  for (const passkey of ['', '[]', '{}', '{"id":"x","rawId":"x","type":"public-key","response":{}}'])
    expect((await post('/sign-in/passkey', new URLSearchParams({ passkey }).toString())).statusCode).toBe(422)
})

test('a copy of the database knows none of the sign-ins that were made before it', async () => {
  const app = await testApp({ file: true })
  await signedIn(app, 'owner')
  expect(await lookForCopy(app.store, app.now(), 9_999_999)).toMatchObject({ reason: 'older' })
  expect(app.db.select().from(signIns).all()).toEqual([])
})
