import userEvent from '@testing-library/user-event';

/** Types and clicks without the pauses between keys: the page does not look at them. */
export const user = userEvent.setup({ delay: null });
