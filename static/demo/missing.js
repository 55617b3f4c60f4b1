import { title } from './shop.js';
import { texts } from './texts.js';

title(texts.missing);
