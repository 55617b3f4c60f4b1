(()=>{var o=window.router=window.router||[];if(!o.session)for(let n of["track","identify","consent","open","on","destroy"])o[n]=o[n]||((...s)=>{o.push([n,...s])});})();
