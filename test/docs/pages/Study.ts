/** What a file of the catalogue of studies sees. */
export type * from '../../../cli/study/Study.js'
