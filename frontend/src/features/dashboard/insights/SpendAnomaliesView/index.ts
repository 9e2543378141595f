export { SpendAnomaliesView } from './SpendAnomaliesView';
