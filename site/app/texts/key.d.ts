/** A key of the texts, in whichever file it stands. */
export type Key =
  | keyof typeof import('./en.json')
  | keyof typeof import('./about/en.json')
  | keyof typeof import('./bench/en.json')
  | keyof typeof import('./chat/en.json')
  | keyof typeof import('./extract/en.json')
  | keyof typeof import('./sizes/en.json')
  | keyof typeof import('./storage/en.json');
