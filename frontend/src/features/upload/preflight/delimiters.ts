/** What may separate columns; apart from the parser, which is loaded only with the first file. */
export const DELIMITERS = [',', ';', '\t', '|'] as const;

const NAMES: Partial<Record<string, string>> = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' };

/** The character that a name of one stands for; any other character is itself. */
export const delimiterOf = (told: string): string => NAMES[told.trim().toLowerCase()] ?? told;
