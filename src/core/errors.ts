/** Something the caller gave us is wrong. Doors answer exit code 2 or a 4xx and print `message` as it is. */
export class BadInput extends Error {
  override name = 'BadInput'
}

/** What we rely on outside the process (Redis, the provider, the disk) is not usable; `message` says how to mend it. */
export class Unavailable extends Error {
  override name = 'Unavailable'
}
