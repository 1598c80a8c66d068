/** The number that an option of a script was given. Throws for anything else. */
export function wholeNumber(option: string, given: string): number {
  if (!/^\d+$/.test(given)) throw new Error(`${option} wants a whole number, not "${given}"`)
  return Number(given)
}

/** Prints a text and returns the exit code to end with. */
export function say(text: string, code: number): number {
  console.log(text)
  return code
}
