// A program that finds something wrong, as a check may. For the pictures.
console.log('> checking 3 files');
console.log('src/greet.js: ok');
console.log('src/languages.js: ok');
console.error('src/cli.js: "greet" is called without a language');
process.exitCode = 1;
