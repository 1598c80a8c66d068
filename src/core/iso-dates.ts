const INSTANT = /(?:^at|At|Until)$/

/**
 * The same data, with each instant (ms UTC, in a field such as `createdAt`) also as a date that people can read, in a field
 * beside it: `createdAtIso`.
 */
export function withIsoDates<Data>(data: Data): Data {
  if (Array.isArray(data)) return data.map((item) => withIsoDates<unknown>(item)) as Data
  if (typeof data !== 'object' || data === null) return data
  const fields = Object.entries(data).flatMap(([field, value]): [string, unknown][] => {
    const own: [string, unknown] = [field, withIsoDates<unknown>(value)]
    if (!INSTANT.test(field) || typeof value !== 'number') return [own]
    return [own, [`${field}Iso`, new Date(value).toISOString()]]
  })
  return Object.fromEntries(fields) as Data
}
