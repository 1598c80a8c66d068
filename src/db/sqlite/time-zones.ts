import { hash } from 'node:crypto'
import type Database from 'better-sqlite3'
import { acceptedZones } from '../../core/time/time-zones.ts'
import { factIn, putFact } from './facts.ts'

/**
 * Brings the database's list of time zones in line with this runtime's. Triggers check every written zone against it.
 * Writes only when the list is another than the one that is kept.
 */
export function keepTimeZones(sqlite: Database.Database): void {
  const zones = JSON.stringify(acceptedZones())
  const edition = hash('sha256', zones)
  if (factIn(sqlite, 'time_zones') === edition) return
  sqlite
    .transaction(() => {
      sqlite.exec('delete from time_zones')
      sqlite.prepare('insert into time_zones (name) select value from json_each(?)').run(zones)
      putFact(sqlite, 'time_zones', edition)
    })
    .immediate()
}
