import { messageOf } from '../../lib/errors.ts';

/** Turns a parser that throws into a check of an option's value. */
export const checkBy = (parse: (text: string) => unknown) => (text: string) => {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
};
