/** The caller gave us something wrong. Commands exit with 2 and pages answer 4xx; both show `message` as it is. */
export class BadInput extends Error {
  override name = 'BadInput'
}

/** Something outside the process (Redis, the provider, the disk) is not usable. `message` says how to fix it. */
export class Unavailable extends Error {
  override name = 'Unavailable'
}
