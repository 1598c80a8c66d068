import type { Installation } from '../../app.ts'
import { countSeats, type Pressed, pressSeats, seatsAreDue, undoSeats } from '../../db/sessions/seats.ts'
import { isLocked } from '../../db/trouble.ts'
import { demand } from '../operators/acting.ts'

type Needs = Pick<Installation, 'actor' | 'store' | 'now'>

/** How long a press can be undone before it counts. */
const UNDO_MS = 10_000

/** One seat more or fewer (`step` 1 or -1), ten seconds from now: full for a moment and open again, it emails nobody. */
export async function changeSeats(app: Needs, id: number, step: 1 | -1): Promise<Pressed> {
  demand(app, 'sessions.edit')
  await settleSeats(app)
  return pressSeats(app.store, { id, step, dueAt: app.now().getTime() + UNDO_MS })
}

/** Takes back the presses of the last ten seconds. `counted`: it is too late for that. */
export async function takeBackSeats(app: Needs, id: number): Promise<'undone' | 'counted'> {
  demand(app, 'sessions.edit')
  return (await undoSeats(app.store, id, app.now())) ? 'undone' : 'counted'
}

/** Counts the seats that are due. Whoever reads what can be booked calls this first; without any it is one short question. */
export async function settleSeats({ store, now }: Pick<Installation, 'store' | 'now'>): Promise<void> {
  if (await seatsAreDue(store, now())) await countSeats(store, now())
}

/** The same for a visitor, who does not wait for a long import: they see the seats that counted before. */
export async function settleSeatsBriefly({ store, now }: Pick<Installation, 'store' | 'now'>): Promise<void> {
  if (!(await seatsAreDue(store, now()))) return
  try {
    await countSeats(store, now(), { brief: true })
  } catch (error) {
    if (!isLocked(error)) throw error
  }
}
