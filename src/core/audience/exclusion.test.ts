import { spawnSync } from 'node:child_process'
import { expect, test } from '@jest/globals'

const MODULE = new URL('exclusion.ts', import.meta.url).href
// A week in which the clocks of the zone go back, one in which they go forward, and one that a zone lived without a day.
const WEEKS = [
  ['2026-10-05', '2026-11-02'],
  ['2027-03-08', '2027-04-05'],
  ['2011-12-05', '2012-01-02'],
]

test.each(['UTC', 'Atlantic/Azores', 'America/New_York', 'Pacific/Apia', 'Australia/Lord_Howe'])(
  'a monthly reader is due after 28 days, and not a day before, on a host in %s',
  (zone) => {
    const source = `
      const { exclusionOf } = await import(${JSON.stringify(MODULE)})
      const reader = { status: 'active', suppressed: false, pausedUntil: null, cadence: 'monthly' }
      const of = (last, id) => exclusionOf({ ...reader, lastEditionId: last }, id, new Date(id))
      const next = (day) => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)
      const weeks = ${JSON.stringify(WEEKS)}
      console.log(JSON.stringify(weeks.map(([last, id]) => [of(last, id), of(next(last), id)])))`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
      env: { TZ: zone },
      encoding: 'utf8',
    })
    expect(JSON.parse(stdout)).toEqual(WEEKS.map(() => [null, 'monthly-not-due']))
  },
)
