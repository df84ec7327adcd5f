/**
 * Formulas between dollars, as the pages have them: `$...$` in a line, `$$...$$` by themselves.
 */
import { katex } from '@mdit/plugin-katex'

/** Formulas are drawn where the site is built, and are not looked into for bindings. */
export const math = (md) => {
  md.use(katex, {
    throwOnError: true,
    strict: 'ignore',
    output: 'htmlAndMathml',
    transformer: (html) => html.replace(/^<(p|span)/, '<$1 v-pre')
  })
}
