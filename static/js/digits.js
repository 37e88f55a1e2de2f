// Numbers in the digits that the reader likes; <html data-digits> says which.

const KHMER = "០១២៣៤៥៦៧៨៩";
const isKhmer = document.documentElement.dataset.digits === "khmer";

/** A text as it is kept: ៣១/០៥ reads as 31/05. */
export const arabic = (text) => text.replace(/[០-៩]/g, (digit) => KHMER.indexOf(digit));

/** A text as it is read. */
export const asRead = (text) => (isKhmer ? String(text).replace(/\d/g, (digit) => KHMER[digit]) : String(text));

/** A number as the server writes it: 1,234. */
export const number = new Intl.NumberFormat("en", { numberingSystem: isKhmer ? "khmr" : "latn" }).format;
