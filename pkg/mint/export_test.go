package mint

// Additional is what a row is sealed beside.
var Additional = additional
