/** The caller gave us something wrong. Commands exit with 2 and pages answer 4xx; both show `message` as it is. */
export class BadInput extends Error {
  override name = 'BadInput'
}

/** A person pressed Ctrl-C at a question. `message` says that nothing was done. */
export class Stopped extends Error {
  override name = 'Stopped'
}

/** Something outside the process (Redis, the provider, the disk) is not usable. `message` says how to fix it. */
export class Unavailable extends Error {
  override name = 'Unavailable'
}
