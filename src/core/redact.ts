/** The text with every mail address in it replaced, for reasons and logs: who is on the list is health information. */
export function withoutAddresses(text: string): string {
  return text.replace(/[^\s<>()"'`,;:=[\]{}]+@[^\s<>()"'`,;:=[\]{}]+/g, '[address]')
}
