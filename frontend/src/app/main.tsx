import '@fontsource/poppins/latin-600.css';
import '@fontsource/poppins/latin-ext-600.css';
import '@fontsource-variable/inter/wght.css';
import './mantine.css';
import './global.css';

import { noop } from '@tanstack/react-query';
import { startTransition, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { restore } from '@/shared/session/session';

import { App, makeClient } from './App';
import { makeRouter, preloadPage } from './router';

const client = makeClient();
const router = makeRouter(client);
// Whose page it is and the page's code are on their way while the first of it is drawn. What fails here fails again
// where it is needed, and is told there.
restore().catch(noop);
void preloadPage(router);
const root = document.getElementById('root');
if (!root) throw new Error('The page has no #root.');
// In a transition React draws in slices, and a slow phone can scroll and press in between.
startTransition(() =>
  createRoot(root).render(
    <StrictMode>
      <App client={client} router={router} />
    </StrictMode>,
  ),
);
