import type { HoldReason } from '../../core/hold.ts'
import { readWitness, writeWitness } from '../sqlite/witness-file.ts'
import type { Queries, Store } from '../store.ts'
import { factIn, putFact } from './facts.ts'

/** What shows whether a database is a copy: how far it had come when that was written, and whether it is where it was. */
export type Witness = {
  /** Null: there is none, or it cannot be read. */
  read(queries: Queries): Promise<{ epoch: number; moved: HoldReason | null } | null>
  /** Inside a transaction. */
  write(tx: Queries, epoch: number): Promise<void>
}

/** The witness of a store; null for a database in memory, which is no one's copy. */
export function witnessOf({ sqlite, postgres }: Store): Witness | null {
  if (postgres) return atHome(postgres.home)
  return sqlite?.file ? besideFile(sqlite.file) : null
}

function besideFile(file: string): Witness {
  return {
    async read() {
      const beside = readWitness(file)
      if (beside === null) return null
      const { wrote, now } = beside
      const isElsewhere = wrote.database !== now.database || wrote.self !== now.self
      const isOtherMachine = wrote.machine !== null && now.machine !== null && wrote.machine !== now.machine
      return { epoch: wrote.epoch, moved: isElsewhere ? 'moved' : isOtherMachine ? 'machine' : null }
    },
    async write(_tx, epoch) {
      writeWitness(file, epoch)
    },
  }
}

/** On Postgres the witness is a row, with the cluster and the database that it was written in. */
function atHome(home: string): Witness {
  return {
    async read(queries) {
      const text = await factIn(queries, 'home')
      if (text === null) return null
      const wrote = JSON.parse(text) as { epoch: number; home: string }
      return { epoch: wrote.epoch, moved: wrote.home === home ? null : 'moved' }
    },
    write: (tx, epoch) => putFact(tx, 'home', JSON.stringify({ epoch, home })),
  }
}
