/** What a file of the catalogue of studies sees. */
export * from '../../../../cli/study/catalogue/Bases.js'
