/**
 * Text in HTML and SVG.
 *
 * @since 0.1.0
 */

/**
 * Text as the content of an element, or of an attribute in double quotes.
 *
 * @category utils
 * @since 0.1.0
 */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
