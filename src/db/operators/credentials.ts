import { audit } from '../audit.ts'
import { and, asc, eq, gt, isNotNull, isNull, lt, ne } from '../drizzle.ts'
import { challenges, operators, passkeys, recoveryCodes, signIns } from '../schema/operators.ts'
import type { Queries, Store } from '../store.ts'

export type Passkey = typeof passkeys.$inferSelect

/** What someone chose to sign in with. */
export type NewCredential =
  | { kind: 'passkey'; passkey: Omit<Passkey, 'operatorId' | 'createdAt' | 'usedAt'> }
  | { kind: 'password'; passwordHash: string; totpSecret: string; totpStep: number }

/** How long a challenge may be answered, in ms. */
const CHALLENGE_MS = 5 * 60_000

/**
 * Ends enrolling: what they chose replaces everything they had before, and their sign-in `signInId` is a full one from now
 * on. False: that sign-in is not enrolling any more.
 */
export async function enrolWith(
  store: Store,
  { signInId, operatorId, codes }: { signInId: number; operatorId: number; codes: readonly string[] },
  chosen: NewCredential,
  now: Date,
): Promise<boolean> {
  return store.write(async (tx) => {
    const mine = and(eq(signIns.id, signInId), eq(signIns.operatorId, operatorId))
    const row = await tx.select({ enrolling: signIns.enrolling }).from(signIns).where(mine).get()
    if (!row?.enrolling) return false
    await tx.update(signIns).set({ enrolling: null, provenAt: now.getTime() }).where(mine).run()
    await tx.delete(passkeys).where(eq(passkeys.operatorId, operatorId)).run()
    const none = { passwordHash: null, totpSecret: null }
    await tx.update(operators).set(none).where(eq(operators.id, operatorId)).run()
    await add(tx, operatorId, chosen, now)
    await replaceCodes(tx, operatorId, codes, now)
    await audit(tx, now, { action: 'sign-in chosen', subject: `operator:${operatorId}`, detail: chosen.kind })
    return true
  })
}

/** Adds a way to sign in beside those they have. */
export async function addCredential(
  store: Store,
  operatorId: number,
  chosen: NewCredential,
  now: Date,
): Promise<void> {
  await store.write(async (tx) => {
    await add(tx, operatorId, chosen, now)
    await audit(tx, now, { action: `${chosen.kind} added`, subject: `operator:${operatorId}` })
  })
}

async function add(tx: Queries, operatorId: number, chosen: NewCredential, now: Date): Promise<void> {
  if (chosen.kind === 'passkey') {
    await tx
      .insert(passkeys)
      .values({ ...chosen.passkey, operatorId, createdAt: now.getTime() })
      .run()
    return
  }
  const { passwordHash, totpSecret, totpStep } = chosen
  await tx
    .update(operators)
    .set({ passwordHash, totpSecret, totpStep })
    .where(eq(operators.id, operatorId))
    .run()
}

/** Changes someone's password, and ends their sign-ins but `signInId`. Who has none gets none. */
export async function changePasswordOf(
  store: Store,
  { signInId, operatorId, passwordHash }: { signInId: number; operatorId: number; passwordHash: string },
  now: Date,
): Promise<void> {
  await store.write(async (tx) => {
    const has = and(eq(operators.id, operatorId), isNotNull(operators.passwordHash))
    if ((await tx.update(operators).set({ passwordHash }).where(has).run()).changes === 0) return
    await endOthers(tx, operatorId, signInId)
    await audit(tx, now, { action: 'password changed', subject: `operator:${operatorId}` })
  })
}

/** Replaces someone's recovery codes by these hashes. */
export async function renewCodes(
  store: Store,
  operatorId: number,
  codes: readonly string[],
  now: Date,
): Promise<void> {
  await store.write(async (tx) => {
    await replaceCodes(tx, operatorId, codes, now)
    await audit(tx, now, { action: 'recovery codes made', subject: `operator:${operatorId}` })
  })
}

async function replaceCodes(tx: Queries, operatorId: number, codes: readonly string[], now: Date) {
  await tx.delete(recoveryCodes).where(eq(recoveryCodes.operatorId, operatorId)).run()
  await tx
    .insert(recoveryCodes)
    .values(codes.map((codeHash) => ({ codeHash, operatorId, createdAt: now.getTime() })))
    .run()
}

/** Uses a recovery code up. False: it is none of theirs, or was used. */
export async function useRecoveryCode(
  store: Store,
  operatorId: number,
  codeHash: string,
  now: Date,
): Promise<boolean> {
  const unused = and(
    eq(recoveryCodes.codeHash, codeHash),
    eq(recoveryCodes.operatorId, operatorId),
    isNull(recoveryCodes.usedAt),
  )
  return store.write(async (tx) => {
    const used = await tx.update(recoveryCodes).set({ usedAt: now.getTime() }).where(unused).run()
    if (used.changes === 1)
      await audit(tx, now, { action: 'recovery code used', subject: `operator:${operatorId}` })
    return used.changes === 1
  })
}

/** How many recovery codes someone has left. */
export async function codesLeft(store: Store, operatorId: number): Promise<number> {
  const unused = and(eq(recoveryCodes.operatorId, operatorId), isNull(recoveryCodes.usedAt))
  return (await store.read.select({ hash: recoveryCodes.codeHash }).from(recoveryCodes).where(unused).all())
    .length
}

/** Uses the step of an app's code up. False: it, or a later one, was used before. */
export async function useAppStep(store: Store, operatorId: number, step: number): Promise<boolean> {
  const later = and(eq(operators.id, operatorId), lt(operators.totpStep, step))
  const used = await store.write((tx) => tx.update(operators).set({ totpStep: step }).where(later).run())
  return used.changes === 1
}

/** Someone's passkeys, oldest first. */
export async function passkeysOf(store: Store, operatorId: number): Promise<Passkey[]> {
  return store.read
    .select()
    .from(passkeys)
    .where(eq(passkeys.operatorId, operatorId))
    .orderBy(asc(passkeys.createdAt))
    .all()
}

/** The passkey with this credential id, of someone who was not removed; or null. */
export async function findPasskey(store: Store, id: string): Promise<Passkey | null> {
  const row = await store.read
    .select({ passkey: passkeys })
    .from(passkeys)
    .innerJoin(operators, eq(operators.id, passkeys.operatorId))
    .where(and(eq(passkeys.id, id), isNull(operators.removedAt)))
    .get()
  return row?.passkey ?? null
}

/** Notes that a passkey was used. Its counter is kept, not judged: passkeys that are synced do not count. */
export async function usePasskey(store: Store, id: string, counter: number, now: Date): Promise<void> {
  const used = { counter, usedAt: now.getTime() }
  await store.write((tx) => tx.update(passkeys).set(used).where(eq(passkeys.id, id)).run(), {
    durable: false,
  })
}

/** Takes a passkey away. False: it is the only way they have to sign in, or not theirs. */
export async function removePasskey(
  store: Store,
  operatorId: number,
  id: string,
  now: Date,
): Promise<boolean> {
  return store.write(async (tx) => {
    const operator = await tx
      .select({ passwordHash: operators.passwordHash })
      .from(operators)
      .where(eq(operators.id, operatorId))
      .get()
    const other = and(eq(passkeys.operatorId, operatorId), ne(passkeys.id, id))
    const another = await tx.select({ id: passkeys.id }).from(passkeys).where(other).get()
    if (!operator?.passwordHash && !another) return false
    const mine = and(eq(passkeys.operatorId, operatorId), eq(passkeys.id, id))
    if ((await tx.delete(passkeys).where(mine).run()).changes === 0) return false
    await audit(tx, now, { action: 'passkey removed', subject: `operator:${operatorId}` })
    return true
  })
}

/** Keeps a challenge for five minutes. */
export async function keepChallenge(
  store: Store,
  row: { challenge: string; operatorId: number | null },
  now: Date,
): Promise<void> {
  await store.write(
    async (tx) => {
      await tx
        .delete(challenges)
        .where(lt(challenges.createdAt, now.getTime() - CHALLENGE_MS))
        .run()
      await tx
        .insert(challenges)
        .values({ ...row, createdAt: now.getTime() })
        .run()
    },
    { durable: false },
  )
}

/** Uses a challenge up. False: there is none, it is too old, or it was made for someone else. */
export async function useChallenge(
  store: Store,
  { challenge, operatorId }: { challenge: string; operatorId: number | null },
  now: Date,
): Promise<boolean> {
  const whose = operatorId === null ? isNull(challenges.operatorId) : eq(challenges.operatorId, operatorId)
  const good = and(
    eq(challenges.challenge, challenge),
    gt(challenges.createdAt, now.getTime() - CHALLENGE_MS),
    whose,
  )
  return (await store.write((tx) => tx.delete(challenges).where(good).run())).changes === 1
}

async function endOthers(tx: Queries, operatorId: number, but: number): Promise<void> {
  await tx
    .delete(signIns)
    .where(and(eq(signIns.operatorId, operatorId), ne(signIns.id, but)))
    .run()
}
