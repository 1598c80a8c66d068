import type Database from 'better-sqlite3'
import { acceptedZones } from '../core/zone-links.ts'

/**
 * Brings the database's list of time zones in line with this runtime's, which triggers hold every written zone against.
 * Working the list out takes a while, so it is done only when the runtime's edition of the tz database is another.
 */
export function keepTimeZones(sqlite: Database.Database): void {
  const edition = String(process.versions.tz)
  const kept = sqlite.prepare("select value from installation where name = 'time_zones'").pluck().get()
  if (kept === edition) return
  const note =
    "insert into installation (name, value) values ('time_zones', ?) on conflict do update set value = excluded.value"
  sqlite
    .transaction(() => {
      sqlite.exec('delete from time_zones')
      sqlite
        .prepare('insert into time_zones (name) select value from json_each(?)')
        .run(JSON.stringify(acceptedZones()))
      sqlite.prepare(note).run(edition)
    })
    .immediate()
}
