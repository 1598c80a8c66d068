import { hash } from 'node:crypto'
import type Database from 'better-sqlite3'
import { acceptedZones } from '../core/time/time-zones.ts'

/**
 * Brings the database's list of time zones in line with this runtime's. Triggers check every written zone against it.
 * Writes only when the list is another than the one that is kept.
 */
export function keepTimeZones(sqlite: Database.Database): void {
  const zones = JSON.stringify(acceptedZones())
  const edition = hash('sha256', zones)
  const kept = sqlite.prepare("select value from installation where name = 'time_zones'").pluck().get()
  if (kept === edition) return
  const note =
    "insert into installation (name, value) values ('time_zones', ?) on conflict do update set value = excluded.value"
  sqlite
    .transaction(() => {
      sqlite.exec('delete from time_zones')
      sqlite.prepare('insert into time_zones (name) select value from json_each(?)').run(zones)
      sqlite.prepare(note).run(edition)
    })
    .immediate()
}
