/**
 * The text with every mail address in it replaced, also one in a link (`%40`), for reasons and logs: who is on the list is
 * health information. What a failed query was asked with goes too.
 */
export function withoutAddresses(text: string): string {
  return text
    .replace(/[^\s<>()"'`,;:=[\]{}]*(?:@|%40)[^\s<>()"'`,;:=[\]{}]*/gi, '[address]')
    .replace(/(\\n|\n)params: .*?(?=\\n|\n|"|$)/g, '$1params: [hidden]')
}
