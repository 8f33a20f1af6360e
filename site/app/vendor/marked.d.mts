/** What is used of marked: its reader of Markdown. Nothing here makes HTML. */

export interface Token {
  type: string;
  raw: string;
  text?: string;
  tokens?: Token[];
  depth?: number;
  lang?: string;
  href?: string;
  ordered?: boolean;
  start?: number | '';
  items?: Token[];
  checked?: boolean;
  align?: ('center' | 'left' | 'right' | null)[];
  header?: Token[];
  rows?: Token[][];
}

export class Lexer {
  tokens: Token[];
  inlineQueue: { src: string; tokens: Token[] }[];
  blockTokens(source: string, tokens: Token[]): Token[];
  inlineTokens(source: string, tokens: Token[]): Token[];
}
