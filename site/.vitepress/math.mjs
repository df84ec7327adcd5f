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
    // of a heading's formula the outline reads one of its two forms
    // a long formula is scrolled by keys too
    transformer: (html) =>
      html
        .replaceAll('class="katex-display"', 'class="katex-display" tabindex="0" role="group" aria-label="formula"')
        .replace(/^<(p|span)/, '<$1 v-pre').replaceAll('class="katex-mathml"', 'class="katex-mathml ignore-header"')
  })
}
