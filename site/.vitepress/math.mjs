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
    // a long formula is scrolled by keys too
    transformer: (html) =>
      html
        .replaceAll('class="katex-display"', 'class="katex-display" tabindex="0" role="group" aria-label="formula"')
        .replace(/^<(p|span)/, '<$1 v-pre')
  })
  // of a heading's formula the outline would read both forms, and of a column's not every reader has the second
  const draw = md.renderer.rules.math_inline
  md.core.ruler.push('formulas-of-headings', ({ tokens }) => {
    tokens.forEach((token, i) => {
      if (token.type !== 'heading_open' && token.type !== 'th_open') return
      for (const child of tokens[i + 1]?.children ?? []) if (child.type === 'math_inline') child.meta = { alone: true }
    })
  })
  md.renderer.rules.math_inline = (tokens, i, ...rest) => {
    const html = draw(tokens, i, ...rest)
    if (tokens[i].meta?.alone !== true) return html
    const said = md.utils.escapeHtml(tokens[i].content.replace(/[\\{}]/g, ''))
    return html
      .replace(/<span class="katex-mathml">[\s\S]*?<\/math><\/span>/, '')
      .replace('class="katex-html" aria-hidden="true"', 'class="katex-html"')
      .replace('class="katex"', `class="katex" role="img" aria-label="${said}"`)
  }
}
