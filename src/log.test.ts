import { expect, test } from '@jest/globals'
import { eventually } from '../test/app.ts'
import { openLog } from './log.ts'

test('no line holds an address or a person, in any field', () => {
  const { log, text } = aLog()
  const failed = new Error(
    'Failed query: insert into subscribers values (?, ?)\nparams: mara@sample.test,Mara Quill',
  )
  log.info(
    { reader: '<mara@sample.test>', name: 'Mara Quill', at: { name: 'Mara Quill' } },
    'of mara@sample.test',
  )
  log.info({ url: '/find?email=mara%40sample.test', email: 'mara' }, 'asked for "mara@sample.test"')
  log.error({ err: failed, error: failed.stack }, 'a request failed')
  log.child({ to: 'Mara Quill' }).warn(failed)
  expect(text()).not.toMatch(/@|%40|mara|Quill/i)
  expect(text().trim().split('\n')).toHaveLength(4)
})

test('a line stays JSON whatever surrounds the address in it, and a long text is cut', () => {
  const { log, lines, text } = aLog()
  log.info({ reason: 'said "to miles.o\'needle@zone.test\\" is wrong' }, 'refused\nneedle@zone.test')
  log.info({ reason: 'x'.repeat(100_000) }, 'refused')
  expect(lines()[0]).toMatchObject({ msg: 'refused\n[address]' })
  expect(text()).not.toContain('needle')
  expect(text().length).toBeLessThan(10_000)
})

test('a terminal gets sentences, without an address or a person', () => {
  const written: string[] = []
  const log = openLog('info', { isTTY: true, write: (line) => void written.push(line) })
  log.warn({ reason: 'no room for mara@sample.test', name: 'Mara Quill' }, 'refused')
  log.debug('woken')
  log.info({ route: '/' }, 'answered')
  expect(written).toEqual([
    expect.stringMatching(
      /^\d+:\d\d:\d\d [AP]M {2}Warning: Refused: no room for \[address\] \(name: \[hidden\]\)\n$/,
    ),
  ])
})

test('a repeated warning is logged at once, then counted and logged again once per interval', async () => {
  const { log, lines } = aLog(100)
  for (let n = 0; n < 40; n += 1)
    log.warn({ error: `connect ECONNREFUSED 127.0.0.1:${6000 + n}` }, 'trouble with Redis')
  expect(lines()).toMatchObject([{ msg: 'trouble with Redis', error: 'connect ECONNREFUSED 127.0.0.1:6000' }])
  await eventually(() => lines().length === 2)
  expect(lines()[1]).toMatchObject({
    msg: 'trouble with Redis',
    error: expect.stringContaining('6039'),
    repeated: 39,
  })
  log.warn({ error: 'connect ECONNREFUSED 127.0.0.1:6000' }, 'trouble with Redis')
  await eventually(() => lines().length === 3)
  expect(lines()[2]).toMatchObject({ repeated: 1 })
})

test('another reason, another failed batch, and every info line are logged each time', () => {
  const { log, lines } = aLog()
  for (const batch of [1, 2])
    log.child({ edition: '2026-11-23', batch }).error({ reason: 'too old' }, 'unknown now')
  for (const reason of ['no answer', '500', 'no answer']) log.warn({ reason }, 'no certain answer')
  for (const batch of [1, 1]) log.info({ batch }, 'batch submitted')
  expect(lines().map(({ batch, reason, msg }) => [msg, batch ?? reason])).toEqual([
    ['unknown now', 1],
    ['unknown now', 2],
    ['no certain answer', 'no answer'],
    ['no certain answer', '500'],
    ['batch submitted', 1],
    ['batch submitted', 1],
  ])
})

function aLog(everyMs?: number) {
  const written: string[] = []
  const text = () => written.join('')
  return {
    log: openLog('trace', { write: (line) => void written.push(line) }, everyMs),
    text,
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}
