// Loads the page anew after the seconds that the script's element names.
const { after } = document.currentScript.dataset;
setTimeout(() => location.reload(), Number(after) * 1000);
