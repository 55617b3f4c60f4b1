// What was said, as a text to keep. Pure.

/** Lines `{author, name, text, at}` as text, one a paragraph, each with its time and who said it. */
export function transcript(lines, texts) {
  return lines.filter(({ text, missing }) => text || missing).map((line) => {
    if (line.missing) return `[${texts.missing(line.missing)}]`;
    const time = new Date(line.at).toLocaleString(texts.language);
    if (line.author === 'system') return `[${time}] ${texts.system[line.text]?.(line.name || texts.agent) ?? line.text}`;
    return `[${time}] ${line.author === 'shopper' ? texts.you : line.name || texts.agent}: ${line.text}`;
  }).join('\n\n').concat('\n');
}
