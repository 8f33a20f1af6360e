/** Cuts a text into passages that a model can read whole: paragraphs, and long paragraphs at their sentences. */

/** @typedef {import('./collections.js').Passage} Passage */

const TARGET_CHARACTERS = 500;
const MOST_CHARACTERS = 900;
const STRETCH_CHARACTERS = 4000;
const SENTENCES = new Intl.Segmenter(undefined, { granularity: 'sentence' });
const HEADING = /^#{1,6}\s+/;

/**
 * @param {string} text plain text or Markdown
 * @param {string} source said with every passage that stands under no heading
 * @returns {Passage[]}
 */
export function splitText(text, source) {
  /** @type {Passage[]} */
  const passages = [];
  let heading = source;
  for (const paragraph of text.replace(/\r\n?/g, '\n').split(/\n\s*\n/)) {
    const { title, body } = splitHeading(paragraph.trim());
    heading = title || heading;
    passages.push(...splitParagraph(body).map((part) => ({ text: part, source: heading, lang: '' })));
  }
  return passages;
}

/** @param {string} paragraph a Markdown heading may be its first line */
function splitHeading(paragraph) {
  if (!HEADING.test(paragraph)) return { title: '', body: paragraph };
  const [title = '', ...rest] = paragraph.split('\n');
  return { title: title.replace(HEADING, ''), body: rest.join('\n').trim() };
}

/**
 * Neighbouring sentences together, up to the target length.
 * @param {string} paragraph
 */
function splitParagraph(paragraph) {
  if (paragraph.length <= TARGET_CHARACTERS) return paragraph === '' ? [] : [paragraph];
  return joined(stretches(paragraph).flatMap(sentencesOf).flatMap(splitSentence));
}

/**
 * A browser's segmenter keeps a copy of its whole text for each sentence: of a megabyte that is more than there is memory.
 * @param {string} paragraph
 * @returns {string[]} the paragraph in pieces that end behind a space, where there is one
 */
function stretches(paragraph) {
  return paragraph.match(new RegExp(`.{1,${STRETCH_CHARACTERS}}(?:\\s|$)|.{1,${STRETCH_CHARACTERS}}`, 'gsu')) ?? [];
}

/** @param {string} stretch */
function sentencesOf(stretch) {
  return Array.from(SENTENCES.segment(stretch), ({ segment }) => segment);
}

/** @param {string} sentence without a full stop it may be as long as the text; it is then cut between words */
function splitSentence(sentence) {
  if (sentence.length <= MOST_CHARACTERS) return [sentence];
  return joined(sentence.split(/(?<=\s)/).flatMap(splitWord));
}

/** @param {string} word */
function splitWord(word) {
  return word.match(new RegExp(`.{1,${MOST_CHARACTERS}}`, 'gsu')) ?? [];
}

/** @param {string[]} parts */
function joined(parts) {
  /** @type {string[]} */
  const passages = [];
  let passage = '';
  for (const part of parts) {
    if (passage !== '' && passage.length + part.length > TARGET_CHARACTERS) {
      passages.push(passage.trim());
      passage = '';
    }
    passage += part;
  }
  return [...passages, passage.trim()].filter((text) => text !== '');
}
