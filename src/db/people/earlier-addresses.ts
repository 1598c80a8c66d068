import type { SQL } from '../drizzle.ts'
import { fieldOf } from '../fragments.ts'
import { addressChanges } from '../schema/people.ts'
import type { Queries } from '../store.ts'

/** The keyed hash of the address that a change replaced; null before, and once it cannot be undone. */
export const earlierHashIn = (queries: Queries): SQL<string | null> =>
  fieldOf(queries, addressChanges.before, 'emailHash')
