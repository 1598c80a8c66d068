import { expect, test } from '@jest/globals'
import { nextSlot } from '../src/core/time/calendar.ts'
import { openInstallation } from '../src/open-installation.ts'
import { aSession, manySubscribers, testConfig } from './app.ts'
import { realProgram } from './cli.ts'
import { withDb } from './db.ts'

test('a coming edition can be held and approved by commands, and every list of editions says so', async () => {
  const program = await realProgram()
  try {
    const config = testConfig(program.database)
    const installation = withDb(await openInstallation(config))
    aSession(installation, { startsAtLocal: '2099-12-01T19:00', repeats: 'once' })
    manySubscribers(installation, 3)
    await installation.close()
    const id = nextSlot(config.slotRule, new Date()).editionId

    const held = await program.run(['edition', 'hold', id])
    expect(held).toMatchObject({ code: 0, out: expect.stringContaining(`openseat edition approve ${id}`) })
    const [shown, listed, document, preview, wrong] = await Promise.all([
      program.run(['edition', 'show', id, '--json']),
      program.run(['edition', 'list']),
      program.run(['edition', 'list', '--json']),
      program.run(['edition', 'preview']),
      program.run(['edition', 'approve', '2020-01-06']),
    ])
    expect(JSON.parse(shown.out)).toMatchObject({ id, state: 'held', waits: true, recipients: 3, news: 1 })
    for (const { out } of [listed, preview]) expect(out).toMatch(/3 of 3 people would get it.*\nIt is held\./)
    expect([JSON.parse(document.out), document.err]).toEqual([[], expect.stringContaining('It is held.')])
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining(`the next one is ${id}`) })

    const approved = await program.run(['edition', 'approve', id, '--json'])
    expect(JSON.parse(approved.out)).toMatchObject({ id, state: 'approved', waits: false })
  } finally {
    await program.close()
  }
}, 60_000)
